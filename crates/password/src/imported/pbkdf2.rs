//! PBKDF2 (RFC 8018) as Django and passlib store it.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2::{self, PBKDF2_HMAC_SHA1, PBKDF2_HMAC_SHA256, PBKDF2_HMAC_SHA512};
use zeroize::Zeroizing;

use super::cost::{Cost, Function};
use super::text;

const MAX_ITERATIONS: u32 = 4_000_000;
const MAX_SALT: usize = 128;
const WRONG_COST: &str = "the iterations of PBKDF2 must be 1 to 4000000";
const MALFORMED: &str = "must be PBKDF2 as the iterations, $, a salt of 1 to 128 bytes, $ and the \
                         digest in base64, of the length of the function's";

#[derive(Clone)]
pub(crate) struct Pbkdf2 {
    hash: Hash,
    iterations: NonZeroU32,
    salt: Vec<u8>,
    digest: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Hash {
    Sha1,
    Sha256,
    Sha512,
}

impl Pbkdf2 {
    /// Reads Django's and passlib's. `None` if it begins otherwise.
    pub(crate) fn parse(text: &str) -> Option<Result<Self, &'static str>> {
        let plain = |salt: &str| Some(salt.as_bytes().to_vec());
        for (begin, hash) in [
            ("pbkdf2_sha256$", Hash::Sha256),
            ("pbkdf2_sha1$", Hash::Sha1),
        ] {
            if let Some(rest) = text.strip_prefix(begin) {
                return Some(Self::read(hash, rest, plain, text::padded));
            }
        }
        for (begin, hash) in [
            ("$pbkdf2$", Hash::Sha1),
            ("$pbkdf2-sha256$", Hash::Sha256),
            ("$pbkdf2-sha512$", Hash::Sha512),
        ] {
            if let Some(rest) = text.strip_prefix(begin) {
                return Some(Self::read(hash, rest, text::passlib, text::passlib));
            }
        }
        None
    }

    fn read(
        hash: Hash,
        rest: &str,
        salt_in: impl Fn(&str) -> Option<Vec<u8>>,
        digest_in: impl Fn(&str) -> Option<Vec<u8>>,
    ) -> Result<Self, &'static str> {
        let parts: Vec<&str> = rest.split('$').collect();
        let [iterations, salt, digest] = parts[..] else {
            return Err(MALFORMED);
        };
        let salt = salt_in(salt).filter(|salt| (1..=MAX_SALT).contains(&salt.len()));
        let digest = digest_in(digest).filter(|digest| digest.len() == hash.length());
        let iterations = text::number_within(iterations, 1..=MAX_ITERATIONS);
        Ok(Self {
            hash,
            iterations: iterations.and_then(NonZeroU32::new).ok_or(WRONG_COST)?,
            salt: salt.ok_or(MALFORMED)?,
            digest: digest.ok_or(MALFORMED)?,
        })
    }

    pub(crate) fn compute(&self, password: &[u8]) -> Zeroizing<Vec<u8>> {
        let algorithm = match self.hash {
            Hash::Sha1 => PBKDF2_HMAC_SHA1,
            Hash::Sha256 => PBKDF2_HMAC_SHA256,
            Hash::Sha512 => PBKDF2_HMAC_SHA512,
        };
        let mut output = Zeroizing::new(vec![0; self.digest.len()]);
        pbkdf2::derive(
            algorithm,
            self.iterations,
            &self.salt,
            password,
            &mut output,
        );
        output
    }

    pub(crate) fn digest(&self) -> &[u8] {
        &self.digest
    }

    pub(crate) fn cost(&self) -> Cost {
        let function = match self.hash {
            Hash::Sha1 => Function::Pbkdf2Sha1,
            Hash::Sha256 => Function::Pbkdf2Sha256,
            Hash::Sha512 => Function::Pbkdf2Sha512,
        };
        Cost::new(function, u64::from(self.iterations.get()))
    }
}

impl Hash {
    fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}
