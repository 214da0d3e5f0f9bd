//! The audit log. It grows with each change and is not read by units of work: so none has
//! a copy of it, but what it adds itself.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::MemoryStore;
use super::unit_of_work::MemoryUnitOfWork;
use crate::model::{
    AuditCursor, AuditEvent, AuditEventId, AuditFilter, AuditOutcome, PageSize, Timestamp,
};
use crate::ports::{AuditChanges, AuditLog, AuditPage, StoreError};

/// What has been committed.
#[derive(Debug, Default)]
pub(super) struct AuditEvents(Mutex<BTreeMap<AuditEventId, AuditEvent>>);

impl AuditEvents {
    /// Adds what a unit of work has written.
    pub(super) fn add(&self, written: Vec<AuditEvent>) {
        let mut events = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for event in written {
            let known = events.entry(event.id);
            let known = known.and_modify(|known| count_with(known, &event));
            known.or_insert(event);
        }
    }

    pub(super) fn delete_before(&self, before: Timestamp, limit: usize) -> usize {
        let mut events = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let old = events.keys().take_while(|id| id.time() < before);
        let old: Vec<_> = old.take(limit).copied().collect();
        for id in &old {
            events.remove(id);
        }
        old.len()
    }
}

fn count_with(known: &mut AuditEvent, other: &AuditEvent) {
    let (AuditOutcome::Refused(mut attempts), AuditOutcome::Refused(more)) =
        (known.outcome, other.outcome)
    else {
        return;
    };
    attempts.add(more);
    *known = AuditEvent {
        outcome: AuditOutcome::Refused(attempts),
        ..other.clone()
    };
}

#[async_trait]
impl AuditLog for MemoryStore {
    async fn audit_events(
        &self,
        filter: &AuditFilter,
        size: PageSize,
        after: Option<&AuditCursor>,
    ) -> Result<AuditPage, StoreError> {
        let size = size.get() as usize;
        let events = self.audit_events.0.lock();
        let events = events.unwrap_or_else(PoisonError::into_inner);
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
}
