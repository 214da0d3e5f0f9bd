//! The role of hashing passwords.

use std::time::Duration;

use async_trait::async_trait;

use crate::model::{Password, PasswordHash};

/// Hashes passwords and compares with hashes, within bounds of memory and time.
#[async_trait]
pub trait PasswordHasher: Send + Sync {
    /// Takes a place in the queue, at once or not at all, so that what is shed
    /// is shed before anything is counted. Dropping the place frees it.
    ///
    /// # Errors
    /// [`HashError::Overloaded`], if too many others wait.
    fn admit(&self) -> Result<Box<dyn HashingPlace>, HashError>;

    /// Judges whether a password to be set is too easy to guess. `known` is what
    /// an attacker knows of the person: the identifiers.
    ///
    /// # Errors
    /// What would be right, as the rule of a field: `must not be …`.
    fn assess(&self, password: &Password, known: &[&str]) -> Result<(), String>;
}

/// A place in the queue, good for one hash.
#[async_trait]
pub trait HashingPlace: Send {
    /// Hashes a password to be stored.
    ///
    /// # Errors
    /// [`HashError::Failed`] if the hasher broke.
    async fn hash(self: Box<Self>, password: Password) -> Result<PasswordHash, HashError>;

    /// Compares a password with a hash. Without a hash the work is the same and
    /// the answer is no, so that the time does not tell who has a password.
    ///
    /// # Errors
    /// [`HashError::Failed`] if the hash cannot be read.
    async fn verify(
        self: Box<Self>,
        password: Password,
        hash: Option<PasswordHash>,
    ) -> Result<Verdict, HashError>;
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
