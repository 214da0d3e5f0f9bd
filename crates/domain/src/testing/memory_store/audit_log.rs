//! The audit log.

use async_trait::async_trait;

use super::MemoryStore;
use super::unit_of_work::MemoryUnitOfWork;
use crate::model::{AuditCursor, AuditEvent, AuditFilter, PageSize, UserId};
use crate::ports::{AuditChanges, AuditLog, AuditPage, StoreError};

#[async_trait]
impl AuditLog for MemoryStore {
    async fn audit_events(
        &self,
        filter: &AuditFilter,
        size: PageSize,
        after: Option<&AuditCursor>,
    ) -> Result<AuditPage, StoreError> {
        let size = size.get() as usize;
        let events = self.audit_events.lock();
        let is_after = |event: &&AuditEvent| {
            after.is_none_or(|after| event.id.as_bytes().as_slice() < after.0.as_slice())
        };
        let fitting = events.values().rev().filter(is_after);
        let mut found: Vec<_> = fitting
            .filter(|event| filter.fits(event))
            .take(size + 1)
            .cloned()
            .collect();
        let has_more = found.len() > size;
        found.truncate(size);
        let last = found.last().map(|event| event.id.into());
        Ok(AuditPage {
            next: last.filter(|_| has_more),
            events: found,
        })
    }
}

#[async_trait]
impl AuditChanges for MemoryUnitOfWork {
    async fn insert_audit_event(&mut self, event: &AuditEvent) -> Result<(), StoreError> {
        self.written.push(event.clone());
        Ok(())
    }

    async fn count_refused(&mut self, event: &AuditEvent) -> Result<(), StoreError> {
        self.written.push(event.clone());
        Ok(())
    }

    async fn erase_from_audit_log(
        &mut self,
        user: UserId,
        after: Option<&AuditCursor>,
        most: u32,
    ) -> Result<Option<AuditCursor>, StoreError> {
        let most = most as usize;
        let found = self.audit_events.with_data_of(user, after, most);
        self.erased.extend(found.iter().map(|id| (user, *id)));
        let last = found.last().filter(|_| found.len() == most);
        Ok(last.map(|id| (*id).into()))
    }
}
