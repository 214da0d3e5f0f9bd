//! Removing a program that may call the service.

use crate::application::CallerKeeper;
use crate::model::{AuditAction, CallerName};
use crate::ports::StoreError;

/// An operator removes a caller.
#[derive(Debug)]
pub struct RemoveCaller {
    /// The caller's name.
    pub name: CallerName,
}

impl RemoveCaller {
    /// Removes the caller, readable or not; tells whether it was there.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn execute(self, keeper: CallerKeeper<'_>) -> Result<bool, StoreError> {
        let mut uow = keeper.store.begin().await?;
        if !uow.delete_caller(&self.name).await? {
            return Ok(false);
        }
        let event = keeper.event(AuditAction::CallerRemoved, &self.name);
        uow.insert_audit_event(&event).await?;
        uow.commit().await?;
        Ok(true)
    }
}
