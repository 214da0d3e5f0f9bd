//! bcrypt, of the password or of a digest of it: as Django, passlib and others
//! store it. It takes 72 bytes of a longer password, as it did where it was made.

use aws_lc_rs::hmac;
use countersign_domain::model::{DigestFunction, Encoding};
use zeroize::Zeroizing;

use super::cost::{Cost, Function};
use super::digest;
use super::text;

/// 2 to the power of 14 took a second when this was written.
const COSTS: std::ops::RangeInclusive<u32> = 4..=14;
const WRONG_COST: &str = "the cost of bcrypt must be 4 to 14";
const MALFORMED: &str = "must be bcrypt as $2b$ (or $2a$, $2y$), two digits, $, 22 signs of salt \
                         and 31 of the digest";

/// What it looks at of a password. The zero after it counts, if there is room.
const MAX_PASSWORD: usize = 72;

#[derive(Clone)]
pub(crate) struct Bcrypt {
    of: Of,
    cost: u32,
    salt: [u8; 16],
    digest: [u8; 23],
}

/// What of a password is hashed.
#[derive(Clone)]
enum Of {
    Password,
    Digest(DigestFunction, Encoding),
    /// HMAC-SHA-256 with this key, in base64.
    Mac(Vec<u8>),
}

impl Bcrypt {
    /// Reads bcrypt as it is, Django's and passlib's, and our own spelling of one
    /// of a digest. `None` if it begins otherwise.
    pub(crate) fn parse(text: &str) -> Option<Result<Self, &'static str>> {
        let hex = Of::Digest(DigestFunction::Sha256, Encoding::Hex);
        if ["$2a$", "$2b$", "$2y$"]
            .iter()
            .any(|begin| text.starts_with(begin))
        {
            Some(Self::of(Of::Password, text))
        } else if let Some(bcrypt) = text.strip_prefix("bcrypt$") {
            Some(Self::of(Of::Password, bcrypt))
        } else if let Some(bcrypt) = text.strip_prefix("bcrypt_sha256$") {
            Some(Self::of(hex, bcrypt))
        } else if let Some(rest) = text.strip_prefix("$bcrypt-sha256$") {
            Some(Self::passlib(rest))
        } else {
            let rest = text.strip_prefix("$bcrypt-of$")?;
            Some(Self::own(rest))
        }
    }

    /// Reads bcrypt of a digest of the password, stored as if of a password.
    pub(crate) fn of_digest(
        function: DigestFunction,
        encoding: Encoding,
        text: &str,
    ) -> Result<Self, &'static str> {
        Self::of(Of::Digest(function, encoding), text)
    }

    /// The spelling in which [`of_digest`](Self::of_digest) is stored.
    pub(crate) fn own_text(function: DigestFunction, encoding: Encoding, text: &str) -> String {
        let encoding = match encoding {
            Encoding::Hex => "hex",
            Encoding::Base64 => "base64",
        };
        format!("$bcrypt-of${},{encoding}{text}", function.name())
    }

    fn own(rest: &str) -> Result<Self, &'static str> {
        let (of, _) = rest.split_once('$').ok_or(MALFORMED)?;
        let (function, encoding) = of.split_once(',').ok_or(MALFORMED)?;
        let function = DigestFunction::named(function).ok_or(MALFORMED)?;
        let encoding = match encoding {
            "hex" => Encoding::Hex,
            "base64" => Encoding::Base64,
            _ => return Err(MALFORMED),
        };
        Self::of_digest(function, encoding, &rest[of.len()..])
    }

    fn of(of: Of, text: &str) -> Result<Self, &'static str> {
        let parts: Vec<&str> = text.splitn(4, '$').collect();
        let ["", "2a" | "2b" | "2y", cost, rest] = parts[..] else {
            return Err(MALFORMED);
        };
        if cost.len() != 2 {
            return Err(MALFORMED);
        }
        let cost = text::number(cost.strip_prefix('0').unwrap_or(cost)).ok_or(MALFORMED)?;
        let (salt, digest) = rest.split_at_checked(22).ok_or(MALFORMED)?;
        Self::new(of, cost, salt, digest)
    }

    /// `v=2,t=2b,r=12$SALT$DIGEST`, or before that `2b,12$SALT$DIGEST`.
    fn passlib(rest: &str) -> Result<Self, &'static str> {
        const MALFORMED: &str = "must be passlib's $bcrypt-sha256$v=2,t=2b,r=12$, the salt, $ and \
                                 the digest";
        let parts: Vec<&str> = rest.split('$').collect();
        let [parameters, salt, digest] = parts[..] else {
            return Err(MALFORMED);
        };
        let (of, cost) = if let Some(cost) = parameters.strip_prefix("v=2,t=2b,r=") {
            (Of::Mac(salt.as_bytes().to_vec()), cost)
        } else {
            let old = parameters.strip_prefix("2b,");
            let cost = old.or_else(|| parameters.strip_prefix("2a,"));
            let sha256 = Of::Digest(DigestFunction::Sha256, Encoding::Base64);
            (sha256, cost.ok_or(MALFORMED)?)
        };
        Self::new(of, text::number(cost).ok_or(MALFORMED)?, salt, digest)
    }

    fn new(of: Of, cost: u32, salt: &str, digest: &str) -> Result<Self, &'static str> {
        let (Some(salt), Some(digest)) = (text::bcrypt(salt), text::bcrypt(digest)) else {
            return Err(MALFORMED);
        };
        if !COSTS.contains(&cost) {
            return Err(WRONG_COST);
        }
        Ok(Self {
            of,
            cost,
            salt,
            digest,
        })
    }

    pub(crate) fn compute(&self, password: &[u8]) -> Zeroizing<Vec<u8>> {
        let hashed = match &self.of {
            Of::Password => Zeroizing::new(password.to_vec()),
            Of::Digest(function, encoding) => {
                digest::encode(&digest::compute(*function, &[password]), *encoding)
            }
            Of::Mac(key) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, key);
                digest::encode(hmac::sign(&key, password).as_ref(), Encoding::Base64)
            }
        };
        let taken = hashed.len().min(MAX_PASSWORD);
        let mut input = Zeroizing::new([0; MAX_PASSWORD]);
        input[..taken].copy_from_slice(&hashed[..taken]);
        let input = &input[..(taken + 1).min(MAX_PASSWORD)];
        let output = ::bcrypt::bcrypt(self.cost, self.salt, input);
        Zeroizing::new(output[..self.digest.len()].to_vec())
    }

    pub(crate) fn digest(&self) -> &[u8] {
        &self.digest
    }

    pub(crate) fn cost(&self) -> Cost {
        Cost::new(Function::Bcrypt, 1 << self.cost)
    }
}
