//! The programs that may call.

use async_trait::async_trait;

use super::StoreError;
use crate::model::{Caller, CallerKey, CallerName, KeyHash, KeyUse, SubjectAltName};

/// All callers, as far as they can be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllCallers {
    /// Those that can be read.
    pub readable: Vec<Caller>,
    /// The names of those that cannot: they are callers all the same.
    pub unreadable: Vec<String>,
    /// The names of those of whom a key, or a name in certificates, cannot be read.
    pub incomplete: Vec<String>,
}

impl AllCallers {
    /// Whether there is no caller, readable or not.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.readable.is_empty() && self.unreadable.is_empty()
    }
}

impl From<Vec<Caller>> for AllCallers {
    fn from(readable: Vec<Caller>) -> Self {
        Self {
            readable,
            ..Self::default()
        }
    }
}

/// Reads callers, and notes what they use.
#[async_trait]
pub trait Callers {
    /// All callers with their keys. A row that cannot be read is left out and told
    /// of, here and in the log.
    async fn callers(&self) -> Result<AllCallers, StoreError>;

    /// Notes when keys were used last. A time that is earlier than the one that
    /// is known changes nothing, and so does a caller that is gone.
    async fn note_key_uses(&self, uses: &[KeyUse]) -> Result<(), StoreError>;
}

/// Changes callers.
#[async_trait]
pub trait CallerChanges {
    /// Adds a caller with its keys and the names in its certificate;
    /// [`StoreError::Taken`] if its own name or one of those is taken.
    async fn insert_caller(&mut self, caller: &Caller) -> Result<(), StoreError>;

    /// Reads a caller with its keys and keeps others from changing it until the
    /// unit of work ends.
    async fn lock_caller(&mut self, name: &CallerName) -> Result<Option<Caller>, StoreError>;

    /// Adds a key to a caller, which must be there.
    async fn insert_caller_key(
        &mut self,
        name: &CallerName,
        key: &CallerKey,
    ) -> Result<(), StoreError>;

    /// Deletes a key of a caller; tells whether it was there.
    async fn delete_caller_key(
        &mut self,
        name: &CallerName,
        hash: &KeyHash,
    ) -> Result<bool, StoreError>;

    /// Adds a name in certificates to a caller, which must be there;
    /// [`StoreError::Taken`] if it is a caller's already.
    async fn insert_caller_san(
        &mut self,
        name: &CallerName,
        san: &SubjectAltName,
    ) -> Result<(), StoreError>;

    /// Deletes a name in certificates of a caller; tells whether it was there.
    async fn delete_caller_san(
        &mut self,
        name: &CallerName,
        san: &SubjectAltName,
    ) -> Result<bool, StoreError>;

    /// Deletes a caller with its keys; tells whether it was there.
    async fn delete_caller(&mut self, name: &CallerName) -> Result<bool, StoreError>;
}
