//! A unit of work on a copy of everything, which takes the place of the original
//! when it is committed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::OwnedMutexGuard;

use super::audit_events::AuditEvents;
use super::faults::Faults;
use super::tables::Tables;
use crate::model::{AuditEvent, AuditEventId, UserId};
use crate::ports::{Clock as _, LONGEST_UNIT_OF_WORK, StoreError, UnitOfWork};
use crate::testing::HandClock;

pub(super) struct MemoryUnitOfWork {
    pub(super) committed: Arc<Mutex<Tables>>,
    pub(super) tables: Tables,
    pub(super) audit_events: Arc<AuditEvents>,
    /// What it adds to the audit log.
    pub(super) written: Vec<AuditEvent>,
    /// Whose personal data it takes out of which entries.
    pub(super) erased: Vec<(UserId, AuditEventId)>,
    pub(super) clock: Arc<HandClock>,
    pub(super) faults: Arc<Faults>,
    /// On the clock's monotonic scale.
    pub(super) begun_at: Duration,
    pub(super) _writer: OwnedMutexGuard<()>,
}

#[async_trait]
impl UnitOfWork for MemoryUnitOfWork {
    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.faults.commit()?;
        let age = self.clock.monotonic().saturating_sub(self.begun_at);
        if age > LONGEST_UNIT_OF_WORK {
            return Err(StoreError::Unavailable(
                "the unit of work took too long".into(),
            ));
        }
        let mut committed = self
            .committed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *committed = self.tables;
        self.audit_events.erase(&self.erased);
        self.audit_events.add(self.written);
        Ok(())
    }
}
