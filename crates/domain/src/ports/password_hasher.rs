//! The role of hashing passwords.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::BoxFuture;

use crate::model::{HashFormat, ImportedHash, Password, PasswordHash};

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

    /// Reads a hash that another system made.
    ///
    /// # Errors
    /// What is wrong with it or asks for too much, and what would be right.
    fn import(&self, format: HashFormat, hash: &str) -> Result<ImportedHash, &'static str>;
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

    /// Compares a password with a mere digest, and makes the hash that is stored in
    /// its place: of the password if it matches, else of the digest, as
    /// [`wrap`](Self::wrap) does. Either way that is the only work that takes time.
    ///
    /// # Errors
    /// [`HashError::Failed`] if it is no digest.
    async fn verify_digest(
        self: Box<Self>,
        password: Password,
        digest: ImportedHash,
    ) -> Result<(Verdict, PasswordHash), HashError>;

    /// Makes of a digest that is computed in no time a hash that is not, without
    /// the password. A hash that is no such digest stays as it is.
    ///
    /// # Errors
    /// [`HashError::Failed`] if the hasher broke.
    async fn wrap(self: Box<Self>, imported: ImportedHash) -> Result<PasswordHash, HashError>;
}

/// What a comparison says.
#[derive(Debug)]
pub struct Verdict {
    /// Whether the password is the one that was hashed.
    pub matches: bool,
    /// What takes the place of the hash, if the password matches and the hash was
    /// made otherwise than new ones are.
    pub replacement: Option<Replacement>,
    refusable: Refusable,
}

/// A new hash of a password that proved right, on the place of the comparison. It
/// is made if it is asked for at once; dropping it frees the place.
pub struct Replacement(BoxFuture<'static, Option<PasswordHash>>);

/// The time from which on the sign-in may be refused.
struct Refusable(Option<BoxFuture<'static, ()>>);

impl Verdict {
    /// A verdict that may be answered at once.
    #[must_use]
    pub fn new(matches: bool, replacement: Option<Replacement>) -> Self {
        Self {
            matches,
            replacement,
            refusable: Refusable(None),
        }
    }

    /// The same, of a sign-in that is refused no sooner than `from` is over.
    #[must_use]
    pub fn refusable(self, from: BoxFuture<'static, ()>) -> Self {
        let refusable = Refusable(Some(from));
        Self { refusable, ..self }
    }

    /// Waits until a refusal may be answered, whatever it is for: the time of one
    /// tells nothing of the hash, or that there is none.
    pub async fn await_refusal(self) {
        drop(self.replacement);
        if let Some(from) = self.refusable.0 {
            from.await;
        }
    }
}

impl Replacement {
    /// A replacement that is made by polling this. `None`: another time.
    #[must_use]
    pub fn new(hash: BoxFuture<'static, Option<PasswordHash>>) -> Self {
        Self(hash)
    }

    /// Makes the new hash. `None` if the hasher could not wait; the next sign-in
    /// may bring one.
    pub async fn hash(self) -> Option<PasswordHash> {
        self.0.await
    }
}

impl fmt::Debug for Replacement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Replacement(..)")
    }
}

impl fmt::Debug for Refusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Refusable(..)")
    }
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
