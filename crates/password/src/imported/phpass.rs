//! phpass (Solar Designer, 2004): MD5, again and again, as WordPress, phpBB and
//! others stored it.

use countersign_domain::model::DigestFunction;
use md5::{Digest as _, Md5};
use zeroize::Zeroizing;

use super::cost::{Cost, Function};
use super::digest;
use super::text;

/// Logarithms of how often MD5 is computed.
const COSTS: std::ops::RangeInclusive<u32> = 7..=18;
const WRONG_COST: &str = "phpass must ask for 2 to the power of 7 to 18 times MD5 (5 to G)";
const MALFORMED: &str = "must be phpass as $P$ or $H$, a sign for the cost, 8 signs of salt and \
                         22 of the digest";

#[derive(Clone)]
pub(crate) struct Phpass {
    log_rounds: u32,
    salt: [u8; 8],
    digest: Vec<u8>,
}

impl Phpass {
    /// Reads `$P$…` and `$H$…`. `None` if it begins otherwise.
    pub(crate) fn parse(text: &str) -> Option<Result<Self, &'static str>> {
        let rest = text
            .strip_prefix("$P$")
            .or_else(|| text.strip_prefix("$H$"))?;
        Some(Self::read(rest.as_bytes()))
    }

    fn read(rest: &[u8]) -> Result<Self, &'static str> {
        let (cost, rest) = rest.split_first().ok_or(MALFORMED)?;
        let (salt, digest) = rest.split_first_chunk().ok_or(MALFORMED)?;
        let digest = std::str::from_utf8(digest).ok().and_then(text::crypt);
        let digest = digest.filter(|digest| digest.len() == 16);
        let log_rounds = text::crypt_value(*cost).ok_or(MALFORMED)?;
        if !salt.iter().all(u8::is_ascii_graphic) {
            return Err(MALFORMED);
        }
        if !COSTS.contains(&log_rounds) {
            return Err(WRONG_COST);
        }
        Ok(Self {
            log_rounds,
            salt: *salt,
            digest: digest.ok_or(MALFORMED)?,
        })
    }

    pub(crate) fn compute(&self, password: &[u8]) -> Zeroizing<Vec<u8>> {
        let mut output = digest::compute(DigestFunction::Md5, &[&self.salt, password]);
        for _ in 0..1_u32 << self.log_rounds {
            let next = Md5::new().chain_update(&*output).chain_update(password);
            output.copy_from_slice(&next.finalize());
        }
        output
    }

    pub(crate) fn digest(&self) -> &[u8] {
        &self.digest
    }

    pub(crate) fn cost(&self) -> Cost {
        Cost::new(Function::Phpass, 1 << self.log_rounds)
    }
}
