//! Hashes that other systems made. What is read is within bounds: of what a hash
//! asks for at a sign-in, and of the lengths of salt and digest.

pub(crate) mod bcrypt;
mod cost;
pub(crate) mod digest;
mod pbkdf2;
mod phpass;
mod scrypt;
mod sha_crypt;
mod text;

pub(crate) use self::cost::{Cost, Function};

use aws_lc_rs::constant_time::verify_slices_are_equal;

use self::bcrypt::Bcrypt;
use self::digest::SaltedDigest;
use self::pbkdf2::Pbkdf2;
use self::phpass::Phpass;
use self::scrypt::Scrypt;
use self::sha_crypt::ShaCrypt;

/// What is said of a hash that begins like none that is known.
pub(crate) const UNKNOWN: &str = "must be a hash of a known format: bcrypt ($2a$, $2b$, $2y$), \
     Argon2 or scrypt as a PHC string, Django's (pbkdf2_sha256$, pbkdf2_sha1$, argon2$, bcrypt$, \
     bcrypt_sha256$, scrypt$, sha1$, md5$), passlib's ($pbkdf2$, $pbkdf2-sha256$, \
     $pbkdf2-sha512$, $bcrypt-sha256$), SHA-crypt ($5$, $6$) or phpass ($P$, $H$)";

/// A hash by another function than Argon2, within the bounds by construction.
#[derive(Clone)]
pub(crate) enum Imported {
    Bcrypt(Bcrypt),
    Pbkdf2(Pbkdf2),
    Scrypt(Scrypt),
    ShaCrypt(ShaCrypt),
    Phpass(Phpass),
    /// Computed in no time: to be stored [wrapped](crate::stored_hash::StoredHash)
    /// alone, and read as it is where somebody is adopted who signs in.
    Digest(SaltedDigest),
}

impl Imported {
    /// Reads a hash by what it begins with.
    ///
    /// # Errors
    /// What is wrong with it, and what would be right.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if let Some(read) = Bcrypt::parse(text) {
            return read.map(Self::Bcrypt);
        }
        if let Some(read) = Pbkdf2::parse(text) {
            return read.map(Self::Pbkdf2);
        }
        if let Some(read) = Scrypt::parse(text) {
            return read.map(Self::Scrypt);
        }
        if let Some(read) = ShaCrypt::parse(text) {
            return read.map(Self::ShaCrypt);
        }
        if let Some(read) = Phpass::parse(text) {
            return read.map(Self::Phpass);
        }
        if let Some(read) = SaltedDigest::parse(text) {
            return read.map(Self::Digest);
        }
        Err(UNKNOWN)
    }

    /// Whether it is the hash of the password. Compares in constant time.
    pub(crate) fn matches(&self, password: &str) -> bool {
        let password = password.as_bytes();
        let (computed, stored) = match self {
            Self::Bcrypt(bcrypt) => (bcrypt.compute(password), bcrypt.digest()),
            Self::Pbkdf2(pbkdf2) => (pbkdf2.compute(password), pbkdf2.digest()),
            Self::Scrypt(scrypt) => (scrypt.compute(password), scrypt.digest()),
            Self::ShaCrypt(sha_crypt) => (sha_crypt.compute(password), sha_crypt.digest()),
            Self::Phpass(phpass) => (phpass.compute(password), phpass.digest()),
            Self::Digest(digest) => (digest.compute(password), digest.digest()),
        };
        verify_slices_are_equal(&computed, stored).is_ok()
    }

    /// What it asks for.
    pub(crate) fn cost(&self) -> Cost {
        match self {
            Self::Bcrypt(bcrypt) => bcrypt.cost(),
            Self::Pbkdf2(pbkdf2) => pbkdf2.cost(),
            Self::Scrypt(scrypt) => scrypt.cost(),
            Self::ShaCrypt(sha_crypt) => sha_crypt.cost(),
            Self::Phpass(phpass) => phpass.cost(),
            Self::Digest(_) => Cost::new(Function::Digest, 1),
        }
    }
}
