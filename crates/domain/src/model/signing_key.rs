//! A signing key at rest.

use countersign_token::Algorithm;

use crate::model::Timestamp;

/// A signing key as the database keeps it: the private part sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSigningKey {
    /// Its `kid`, the RFC 7638 thumbprint.
    pub kid: String,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// Where it is in its life.
    pub state: KeyState,
    /// The private key under the master key.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it is needed no more; set when it retires.
    pub expires_at: Option<Timestamp>,
}

/// Where a signing key is in its life. There is one `next` and one `active`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyState {
    /// Signs.
    Active,
    /// Published before it signs, so that every verifier has it by then.
    Next,
    /// Signs no more; verifies until its last token has expired.
    Retired,
}

impl KeyState {
    /// The name under which it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Next => "next",
            Self::Retired => "retired",
        }
    }

    /// Reads the stored name.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        match text {
            "active" => Some(Self::Active),
            "next" => Some(Self::Next),
            "retired" => Some(Self::Retired),
            _ => None,
        }
    }
}

impl std::fmt::Debug for SealedSigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SealedSigningKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
