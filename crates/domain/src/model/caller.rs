//! The programs at the other end of a connection.

use std::fmt;
use std::str::FromStr;

use crate::model::{CallerKey, KeyHash, SubjectAltName, Timestamp};

/// A program that may call the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Its name, the `client_id` of the tokens issued to it.
    pub name: CallerName,
    /// What it may do.
    pub roles: Vec<Role>,
    /// Its API keys, oldest first: one, or two while one takes over from the
    /// other. None, if it proves itself by a certificate alone.
    pub keys: Vec<CallerKey>,
    /// The names in its client certificate, in alphabetical order. Each is this
    /// caller's alone.
    pub sans: Vec<SubjectAltName>,
    /// When it was created.
    pub created_at: Timestamp,
}

/// That a caller used a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// Whose key it is.
    pub caller: CallerName,
    /// Which key.
    pub hash: KeyHash,
    /// When it was used last.
    pub at: Timestamp,
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

impl Caller {
    /// How many API keys it may have at once.
    pub const MAX_KEYS: usize = 2;
}

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
    /// All that there are.
    pub const ALL: [Self; 3] = [Self::Service, Self::Gateway, Self::Operator];

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
