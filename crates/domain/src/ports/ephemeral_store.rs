//! The role of keeping things for a while: codes, proofs, counters.
//!
//! What must outlive a restart is not kept here. The laws that every adapter
//! keeps are in `testing::ephemeral_laws`.

use std::time::Duration;

use async_trait::async_trait;

/// A few atomic verbs on keys with a time to live. Keys are printable ASCII of
/// at most 200 bytes. A value and a count under the same key are one thing:
/// [`take`](Self::take) removes either.
#[async_trait]
pub trait EphemeralStore: Send + Sync {
    /// Keeps a value for `ttl`, in place of whatever was there, and with all
    /// tries of [`compare`](Self::compare) ahead of it.
    ///
    /// # Errors
    /// If it is not certain that the value is kept.
    async fn put(&self, key: &str, value: &[u8], ttl: Duration) -> Result<(), EphemeralError>;

    /// Keeps a value for `ttl` if there is none, and tells whether it did.
    ///
    /// # Errors
    /// If it could not be told.
    async fn put_if_absent(
        &self,
        key: &str,
        value: &[u8],
        ttl: Duration,
    ) -> Result<bool, EphemeralError>;

    /// The value, if there is one.
    ///
    /// # Errors
    /// If it could not be told.
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, EphemeralError>;

    /// The value, which is gone with this: of many who ask at once, one gets it.
    ///
    /// # Errors
    /// If it could not be told. The value may be gone then.
    async fn take(&self, key: &str) -> Result<Option<Vec<u8>>, EphemeralError>;

    /// Counts one more event, unless `limit` were counted in the window that
    /// the first of them opened.
    ///
    /// # Errors
    /// If the event was not counted for certain: the answer is then no.
    async fn count_within(
        &self,
        key: &str,
        limit: u32,
        window: Duration,
    ) -> Result<Count, EphemeralError>;

    /// Compares a guess with the value that [`put`](Self::put) keeps. The try
    /// is counted first; the right guess takes the value, and so does the last
    /// of `tries` wrong ones.
    ///
    /// # Errors
    /// If it could not be told. The try may have been counted.
    async fn compare(
        &self,
        key: &str,
        guess: &[u8],
        tries: u32,
    ) -> Result<Comparison, EphemeralError>;

    /// How many tries [`compare`](Self::compare) has counted for the value.
    ///
    /// # Errors
    /// If it could not be told.
    async fn tries(&self, key: &str) -> Result<u32, EphemeralError>;

    /// Whether the store answers.
    ///
    /// # Errors
    /// If it does not.
    async fn ping(&self) -> Result<(), EphemeralError>;
}

/// What [`EphemeralStore::count_within`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// Counted: the event is the nth of the window.
    Counted(u32),
    /// Not counted: the limit is reached until then.
    Exceeded {
        /// When the window ends.
        retry_after: Duration,
    },
}

/// What [`EphemeralStore::compare`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// The guess is right, and the value is gone.
    Matches,
    /// The guess is wrong.
    Differs {
        /// Tries left; with none the value is gone.
        remaining: u32,
    },
    /// There is no value.
    Absent,
}

/// The store could not be asked, or it is not certain what it did.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct EphemeralError(pub String);
