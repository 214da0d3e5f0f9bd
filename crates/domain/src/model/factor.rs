//! A second factor of a user: what a person can show beside a password.

use std::fmt;

use crate::model::{FactorId, Timestamp, UserId};

/// An authenticator that a person has enrolled.
#[derive(Clone, PartialEq, Eq)]
pub struct Factor {
    /// Its id.
    pub id: FactorId,
    /// Whose it is.
    pub user_id: UserId,
    /// What it is.
    pub kind: FactorKind,
    /// What the person calls it.
    pub label: FactorLabel,
    /// Its secret, or its public key, under the master key, bound to its id and
    /// its user.
    pub sealed: Vec<u8>,
    /// The last time step of which a code was taken: no code of this step or of
    /// an earlier one is good any more. Of a passkey: its signature counter, 0 if
    /// it counts nothing.
    pub last_step: i64,
    /// When it was enrolled.
    pub created_at: Timestamp,
}

/// What a factor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorKind {
    /// Time-based one-time codes (RFC 6238).
    Totp,
    /// A passkey or security key (Web Authentication).
    Passkey,
}

/// What a person calls a factor: up to 64 characters, none of which controls
/// anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactorLabel(String);

impl FactorLabel {
    /// Reads a name as it was typed; white space around it is dropped.
    ///
    /// # Errors
    /// What a name must look like, if this is none.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let is_name = text.chars().count() <= 64 && !text.chars().any(char::is_control);
        if is_name {
            Ok(Self(text.to_owned()))
        } else {
            Err("must have at most 64 characters, and no control characters")
        }
    }

    /// The name, which may be empty.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FactorKind {
    /// The name under which it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Passkey => "passkey",
        }
    }

    /// Reads the stored name.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        match text {
            "totp" => Some(Self::Totp),
            "passkey" => Some(Self::Passkey),
            _ => None,
        }
    }
}

impl fmt::Debug for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Factor")
            .field("id", &self.id)
            .field("user_id", &self.user_id)
            .field("kind", &self.kind)
            .field("last_step", &self.last_step)
            .finish_non_exhaustive()
    }
}
