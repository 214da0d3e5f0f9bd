//! scrypt (RFC 7914) as a PHC string and as Django stores it.

use scrypt::Params;
use zeroize::Zeroizing;

use super::cost::{Cost, Function};
use super::text;

/// Of one hash, 128 · N · r bytes.
const MAX_MEMORY_KIB: u64 = 128 * 1024;
/// What is computed in all, 128 · N · r · p bytes.
const MAX_WORK_KIB: u64 = 512 * 1024;
const MAX_SALT: usize = 128;
const DIGESTS: std::ops::RangeInclusive<usize> = 16..=64;
const TOO_DEAR: &str = "scrypt must ask for at most 131072 KiB (N · r / 8), r for 1 to 32, p for \
                        1 to 16, and all of it for at most 524288 KiB (N · r · p / 8)";
const MALFORMED: &str = "must be scrypt as $scrypt$ln=…,r=…,p=…$ or scrypt$N$SALT$r$p$, N a power \
                         of two, with a salt of 1 to 128 bytes and a digest of 16 to 64";

#[derive(Clone)]
pub(crate) struct Scrypt {
    params: Params,
    salt: Vec<u8>,
    digest: Vec<u8>,
}

impl Scrypt {
    /// Reads a PHC string or Django's. `None` if it begins otherwise.
    pub(crate) fn parse(text: &str) -> Option<Result<Self, &'static str>> {
        if let Some(rest) = text.strip_prefix("$scrypt$") {
            return Some(Self::phc(rest));
        }
        let rest = text.strip_prefix("scrypt$")?;
        Some(Self::django(rest))
    }

    fn phc(rest: &str) -> Result<Self, &'static str> {
        let parts: Vec<&str> = rest.split('$').collect();
        let [parameters, salt, digest] = parts[..] else {
            return Err(MALFORMED);
        };
        let parameters: Vec<&str> = parameters.split(',').collect();
        let [log_n, r, p] = parameters[..] else {
            return Err(MALFORMED);
        };
        let value = |parameter: &str, name| parameter.strip_prefix(name).and_then(text::number);
        let (log_n, r, p) = (value(log_n, "ln="), value(r, "r="), value(p, "p="));
        Self::new(log_n, r, p, text::unpadded(salt), text::unpadded(digest))
    }

    fn django(rest: &str) -> Result<Self, &'static str> {
        let parts: Vec<&str> = rest.split('$').collect();
        let [n, salt, r, p, digest] = parts[..] else {
            return Err(MALFORMED);
        };
        let n = text::number(n).filter(|n| n.is_power_of_two());
        let log_n = n.map(u32::trailing_zeros);
        let (r, p) = (text::number(r), text::number(p));
        let salt = Some(salt.as_bytes().to_vec());
        Self::new(log_n, r, p, salt, text::padded(digest))
    }

    fn new(
        log_n: Option<u32>,
        r: Option<u32>,
        p: Option<u32>,
        salt: Option<Vec<u8>>,
        digest: Option<Vec<u8>>,
    ) -> Result<Self, &'static str> {
        let salt = salt.filter(|salt| (1..=MAX_SALT).contains(&salt.len()));
        let digest = digest.filter(|digest| DIGESTS.contains(&digest.len()));
        let (Some(log_n), Some(r), Some(p), Some(salt), Some(digest)) = (log_n, r, p, salt, digest)
        else {
            return Err(MALFORMED);
        };
        if !(1..=24).contains(&log_n) || !(1..=32).contains(&r) || !(1..=16).contains(&p) {
            return Err(TOO_DEAR);
        }
        let memory_kib = (u64::from(r) << log_n).div_ceil(8);
        if memory_kib > MAX_MEMORY_KIB || memory_kib * u64::from(p) > MAX_WORK_KIB {
            return Err(TOO_DEAR);
        }
        let log_n = u8::try_from(log_n).map_err(|_| TOO_DEAR)?;
        let params = Params::new(log_n, r, p).map_err(|_| TOO_DEAR)?;
        Ok(Self {
            params,
            salt,
            digest,
        })
    }

    pub(crate) fn compute(&self, password: &[u8]) -> Zeroizing<Vec<u8>> {
        let mut output = Zeroizing::new(vec![0; self.digest.len()]);
        ::scrypt::scrypt(password, &self.salt, &self.params, &mut output)
            .expect("the length is within the bounds");
        output
    }

    pub(crate) fn digest(&self) -> &[u8] {
        &self.digest
    }

    /// How much memory it takes.
    pub(crate) fn memory_kib(&self) -> u64 {
        (self.params.n() * u64::from(self.params.r())).div_ceil(8)
    }

    pub(crate) fn cost(&self) -> Cost {
        Cost::new(
            Function::Scrypt,
            self.memory_kib() * u64::from(self.params.p()),
        )
    }
}
