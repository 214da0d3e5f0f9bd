//! The role of hashing passwords.

use std::time::Duration;

use async_trait::async_trait;

use crate::model::{Password, PasswordHash};

/// Hashes passwords and compares with hashes, within bounds of memory and time.
#[async_trait]
pub trait PasswordHasher: Send + Sync {
    /// Hashes a password to be stored.
    ///
    /// # Errors
    /// [`HashError::Overloaded`] at once, if too many others wait.
    async fn hash(&self, password: Password) -> Result<PasswordHash, HashError>;

    /// Compares a password with a hash. Without a hash the work is the same and
    /// the answer is no, so that the time does not tell who has a password.
    ///
    /// # Errors
    /// [`HashError::Overloaded`] at once, if too many others wait;
    /// [`HashError::Failed`] if the hash cannot be read.
    async fn verify(
        &self,
        password: Password,
        hash: Option<PasswordHash>,
    ) -> Result<Verdict, HashError>;

    /// Judges whether a password to be set is too easy to guess. `known` is what
    /// an attacker knows of the person: the identifiers.
    ///
    /// # Errors
    /// What would be right, as the rule of a field: `must not be …`.
    fn assess(&self, password: &Password, known: &[&str]) -> Result<(), String>;
}

/// What a comparison says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the password is the one that was hashed.
    pub matches: bool,
    /// Whether the hash was made with other parameters than today's, and should
    /// be replaced.
    pub outdated: bool,
}

/// Why a password was not hashed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum HashError {
    /// More are waiting than the machine can hash in time.
    #[error("too many passwords to hash")]
    Overloaded {
        /// When to try again.
        retry_after: Duration,
    },
    /// The stored hash cannot be read, or the hasher broke.
    #[error("{0}")]
    Failed(String),
}
