//! A password on its way to the hasher, and the hash that is kept of it.

use std::fmt;

use zeroize::Zeroizing;

/// A password: 1 to 1,024 bytes, wiped from memory when dropped, never shown.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// The longest password in bytes. Nothing is ever cut off.
    pub const MAX_BYTES: usize = 1024;
    /// The shortest password that can be set, in bytes.
    pub const MIN_BYTES: usize = 8;

    /// A password to be compared with the one that is set. What could not have
    /// been set (too short) is let through, so that the answer does not depend
    /// on it.
    ///
    /// # Errors
    /// What is wrong with an empty or absurdly long one.
    pub fn to_compare(text: String) -> Result<Self, &'static str> {
        let password = Self(Zeroizing::new(text));
        match password.0.len() {
            0 => Err("must not be empty"),
            1..=Self::MAX_BYTES => Ok(password),
            _ => Err("must be at most 1,024 bytes long"),
        }
    }

    /// A password to be set. Whether it can be guessed is the hasher's to
    /// [assess](crate::ports::PasswordHasher::assess).
    ///
    /// # Errors
    /// What is wrong with its length.
    pub fn to_set(text: String) -> Result<Self, &'static str> {
        let password = Self::to_compare(text)?;
        if password.0.len() < Self::MIN_BYTES {
            return Err("must be at least 8 bytes long");
        }
        Ok(password)
    }

    /// The password in the clear.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// The hash of a password in its storable form (a PHC string). Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// A hash as the hasher wrote it.
    #[must_use]
    pub fn new(phc: String) -> Self {
        Self(phc)
    }

    /// The PHC string, to be stored.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}
