//! Hashes of passwords that another system made, and how they are spelled there.

use std::fmt;
use std::str::FromStr;

use crate::model::PasswordHash;

/// A hash of another system, checked: it can be compared with, and asks for no
/// more than is allowed. [`PasswordHasher::import`] makes it.
///
/// [`PasswordHasher::import`]: crate::ports::PasswordHasher::import
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedHash {
    /// The hash as it can be compared with.
    pub hash: PasswordHash,
    /// Whether it is a mere digest, computed in no time. Such a hash is stored
    /// only [wrapped](crate::ports::HashingPlace::wrap).
    pub is_digest: bool,
}

/// How a hash is to be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HashFormat {
    /// By what it begins with.
    #[default]
    Auto,
    /// A digest of salt and password, spelled as the salt, `$` and hexadecimal
    /// digits.
    Digest(DigestFunction, SaltPlace),
    /// bcrypt of a digest of the password, spelled as if it were of the password.
    BcryptOf(DigestFunction, Encoding),
}

/// A function that computes a digest in no time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DigestFunction {
    /// MD5.
    Md5,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// Where the salt goes that is hashed with a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaltPlace {
    /// Before the password.
    First,
    /// After it.
    Last,
}

/// How a digest is spelled where another function hashes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Hexadecimal digits of lower case.
    Hex,
    /// Base64 with padding (RFC 4648 §4).
    Base64,
}

impl DigestFunction {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Md5, Self::Sha1, Self::Sha256, Self::Sha512];

    /// Its name: `sha256`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// The function of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

impl fmt::Display for HashFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Digest(function, SaltPlace::First) => {
                write!(f, "{}(salt+password)", function.name())
            }
            Self::Digest(function, SaltPlace::Last) => {
                write!(f, "{}(password+salt)", function.name())
            }
            Self::BcryptOf(function, Encoding::Hex) => {
                write!(f, "bcrypt(hex({}))", function.name())
            }
            Self::BcryptOf(function, Encoding::Base64) => {
                write!(f, "bcrypt(base64({}))", function.name())
            }
        }
    }
}

impl FromStr for HashFormat {
    type Err = &'static str;

    /// Reads what `Display` writes: `auto`, `sha1(salt+password)`,
    /// `bcrypt(hex(md5))`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let of_functions = DigestFunction::ALL.into_iter().flat_map(|function| {
            [
                Self::Digest(function, SaltPlace::First),
                Self::Digest(function, SaltPlace::Last),
                Self::BcryptOf(function, Encoding::Hex),
                Self::BcryptOf(function, Encoding::Base64),
            ]
        });
        std::iter::once(Self::Auto)
            .chain(of_functions)
            .find(|format| format.to_string() == text)
            .ok_or(
                "must be auto, FUNCTION(salt+password), FUNCTION(password+salt), \
                 bcrypt(hex(FUNCTION)) or bcrypt(base64(FUNCTION)), with md5, sha1, sha256 or \
                 sha512 as the function",
            )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_read_as_it_is_written() {
        for text in [
            "auto",
            "sha1(salt+password)",
            "sha512(password+salt)",
            "bcrypt(hex(md5))",
            "bcrypt(base64(sha256))",
        ] {
            let format: HashFormat = text.parse().expect(text);
            assert_eq!(format.to_string(), text);
        }
        for text in ["", "AUTO", "sha3(salt+password)", "bcrypt(md5)", "auto "] {
            let refused = text.parse::<HashFormat>().expect_err(text);
            assert!(refused.starts_with("must be auto,"), "{refused}");
        }
    }
}
