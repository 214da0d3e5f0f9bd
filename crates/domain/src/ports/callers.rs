//! The programs that may call.

use async_trait::async_trait;

use super::StoreError;
use crate::model::{Caller, CallerName};

/// Reads callers.
#[async_trait]
pub trait Callers {
    /// All callers. A row that cannot be read is left out, and named in the
    /// log.
    async fn callers(&self) -> Result<Vec<Caller>, StoreError>;
}

/// Changes callers.
#[async_trait]
pub trait CallerChanges {
    /// Adds a caller; [`StoreError::Taken`] if the name is taken.
    async fn insert_caller(&mut self, caller: &Caller) -> Result<(), StoreError>;

    /// Deletes a caller; tells whether it was there.
    async fn delete_caller(&mut self, name: &CallerName) -> Result<bool, StoreError>;
}
