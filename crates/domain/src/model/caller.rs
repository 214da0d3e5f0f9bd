//! The programs at the other end of a connection, and their API keys.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::model::Timestamp;
use crate::ports::Random;

/// A program that may call the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Its name, the `client_id` of the tokens issued to it.
    pub name: CallerName,
    /// What it may do.
    pub roles: Vec<Role>,
    /// SHA-256 of its API key. The key has 256 random bits: no slower hash is
    /// needed.
    pub key_hash: [u8; 32],
    /// When it was created.
    pub created_at: Timestamp,
}

/// The name of a caller: 1 to 64 lower-case letters, digits and hyphens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallerName(String);

/// What a caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Asks whether tokens are good.
    Service,
    /// Acts for people.
    Gateway,
    /// Looks after users.
    Operator,
}

/// The secret by which a caller proves itself: `csk_` and 43 letters. Never
/// shown.
pub struct ApiKey(Zeroizing<String>);

impl CallerName {
    /// Reads a name.
    ///
    /// # Errors
    /// What a caller's name must look like, if this is none.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if text.is_empty() || text.len() > 64 || !text.bytes().all(allowed) {
            return Err("must be 1 to 64 lower-case letters, digits and hyphens");
        }
        Ok(Self(text.into()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Role {
    /// The name of the role.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Gateway => "gateway",
            Self::Operator => "operator",
        }
    }
}

impl FromStr for Role {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "service" => Ok(Self::Service),
            "gateway" => Ok(Self::Gateway),
            "operator" => Ok(Self::Operator),
            _ => Err("must be service, gateway or operator"),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ApiKey {
    /// A new key.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        random.fill(&mut *bytes);
        Self(Zeroizing::new(format!(
            "csk_{}",
            URL_SAFE_NO_PAD.encode(*bytes)
        )))
    }

    /// The key in the clear, to be printed once.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is kept of a key.
    #[must_use]
    pub fn hash_of(presented: &str) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, presented.as_bytes()).as_ref());
        hash
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(..)")
    }
}
