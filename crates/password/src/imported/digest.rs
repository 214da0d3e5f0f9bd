//! Digests that are computed in no time: of a salt and a password, as old systems
//! stored them, and of a password before it goes to another function.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_domain::model::{DigestFunction, Encoding, SaltPlace};
use md5::{Digest as _, Md5};
use zeroize::Zeroizing;

use super::text;

const MAX_SALT: usize = 128;
const MALFORMED: &str = "must be the salt (at most 128 bytes), $ and the digest as hexadecimal \
                         digits, all of them";

/// A digest of a salt and a password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SaltedDigest {
    how: Salted,
    digest: Vec<u8>,
}

/// How a digest is made.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Salted {
    function: DigestFunction,
    place: SaltPlace,
    salt: Vec<u8>,
}

impl SaltedDigest {
    /// Reads `sha1$SALT$HEX` and the like, the salt before the password, and what
    /// [`to_text`](Self::to_text) wrote. `None` if it begins otherwise.
    pub(crate) fn parse(text: &str) -> Option<Result<Self, &'static str>> {
        if let Some(rest) = text.strip_prefix("$digest$") {
            return Some(Self::own(rest).ok_or(MALFORMED));
        }
        let (name, rest) = text.split_once('$')?;
        let function = DigestFunction::named(name)?;
        Some(Self::salted(function, SaltPlace::First, rest))
    }

    /// Reads `SALT$HEX`, or the digest alone if there is no salt.
    pub(crate) fn salted(
        function: DigestFunction,
        place: SaltPlace,
        text: &str,
    ) -> Result<Self, &'static str> {
        let (salt, digest) = text.rsplit_once('$').unwrap_or(("", text));
        let digest = text::hex(digest).filter(|digest| digest.len() == length(function));
        let digest = digest.ok_or(MALFORMED)?;
        if salt.len() > MAX_SALT {
            return Err(MALFORMED);
        }
        let salt = salt.as_bytes().to_vec();
        let how = Salted {
            function,
            place,
            salt,
        };
        Ok(Self { how, digest })
    }

    pub(crate) fn compute(&self, password: &[u8]) -> Zeroizing<Vec<u8>> {
        self.how.compute(password)
    }

    /// How it was made.
    pub(crate) fn how(&self) -> &Salted {
        &self.how
    }

    pub(crate) fn digest(&self) -> &[u8] {
        &self.digest
    }

    /// The form in which it is kept for the one sign-in that adopts its owner.
    pub(crate) fn to_text(&self) -> String {
        let digest = text::to_hex(&self.digest);
        format!("$digest${}${digest}", self.how)
    }

    fn own(rest: &str) -> Option<Self> {
        let (how, digest) = rest.rsplit_once('$')?;
        let how = Salted::from_text(how)?;
        let digest = text::hex(digest).filter(|digest| digest.len() == length(how.function))?;
        Some(Self { how, digest })
    }
}

impl Salted {
    pub(crate) fn compute(&self, password: &[u8]) -> Zeroizing<Vec<u8>> {
        match self.place {
            SaltPlace::First => compute(self.function, &[&self.salt, password]),
            SaltPlace::Last => compute(self.function, &[password, &self.salt]),
        }
    }

    /// Reads what `Display` writes: `sha1,salt-first$SALT`, the salt in base64.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let (how, salt) = text.split_once('$')?;
        let (function, place) = how.split_once(',')?;
        Some(Self {
            function: DigestFunction::named(function)?,
            place: match place {
                "salt-first" => SaltPlace::First,
                "salt-last" => SaltPlace::Last,
                _ => return None,
            },
            salt: text::unpadded(salt).filter(|salt| salt.len() <= MAX_SALT)?,
        })
    }
}

impl std::fmt::Display for Salted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let place = match self.place {
            SaltPlace::First => "salt-first",
            SaltPlace::Last => "salt-last",
        };
        let salt = text::to_unpadded(&self.salt);
        write!(f, "{},{place}${salt}", self.function.name())
    }
}

/// How many bytes a digest has.
pub(crate) fn length(function: DigestFunction) -> usize {
    match function {
        DigestFunction::Md5 => 16,
        DigestFunction::Sha1 => 20,
        DigestFunction::Sha256 => 32,
        DigestFunction::Sha512 => 64,
    }
}

/// The digest of these one after the other.
pub(crate) fn compute(function: DigestFunction, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let algorithm = match function {
        DigestFunction::Md5 => {
            let mut md5 = Md5::new();
            for part in parts {
                md5.update(part);
            }
            return Zeroizing::new(md5.finalize().to_vec());
        }
        DigestFunction::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        DigestFunction::Sha256 => &digest::SHA256,
        DigestFunction::Sha512 => &digest::SHA512,
    };
    let mut context = digest::Context::new(algorithm);
    for part in parts {
        context.update(part);
    }
    Zeroizing::new(context.finish().as_ref().to_vec())
}

/// How a digest is spelled as the password of another function.
pub(crate) fn encode(bytes: &[u8], encoding: Encoding) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(match encoding {
        Encoding::Hex => text::to_hex(bytes).into_bytes(),
        Encoding::Base64 => STANDARD.encode(bytes).into_bytes(),
    })
}
