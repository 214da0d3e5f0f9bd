//! The audit log.

use async_trait::async_trait;

use super::StoreError;
use crate::model::{AuditCursor, AuditEvent, AuditFilter, PageSize, UserId};

/// Reads the audit log.
#[async_trait]
pub trait AuditLog {
    /// A page of the entries that fit, newest first, after the place `after`. Of those that
    /// fit badly it looks at [`AuditFilter::LOOKED_AT`] at the most, so that a page may have
    /// fewer entries than `size`, also none, and not be the last. A row that cannot be read
    /// is left out, and named in the log.
    async fn audit_events(
        &self,
        filter: &AuditFilter,
        size: PageSize,
        after: Option<&AuditCursor>,
    ) -> Result<AuditPage, StoreError>;
}

/// A part of the audit log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditPage {
    /// Those that can be read.
    pub events: Vec<AuditEvent>,
    /// Where the next page begins. `None` after the last one.
    pub next: Option<AuditCursor>,
}

/// Writes the audit log.
#[async_trait]
pub trait AuditChanges {
    /// Adds an entry, which stands or falls with the changes that it tells of.
    async fn insert_audit_event(&mut self, event: &AuditEvent) -> Result<(), StoreError>;

    /// Adds an entry of refused attempts, or counts them with those that have its id: then
    /// where they came from, and when the last of them was, is what the last one to come
    /// says.
    async fn count_refused(&mut self, event: &AuditEvent) -> Result<(), StoreError>;

    /// Takes the personal data of a user out of the entries that tell of it: addresses, and
    /// the devices of all but others who acted. That it was done, when, and by which caller
    /// and whom, stays. Of those that have any and come after the place `after`, oldest
    /// first, `most` at the most; the place of the last one, if there may be more.
    async fn erase_from_audit_log(
        &mut self,
        user: UserId,
        after: Option<&AuditCursor>,
        most: u32,
    ) -> Result<Option<AuditCursor>, StoreError>;
}
