//! The audit log in memory. It grows with each change and is not read by units of work: so
//! none has a copy of it, but what it adds itself.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::{AuditEvent, AuditEventId, AuditOutcome, Timestamp, UserId};

/// What has been committed.
#[derive(Debug, Default)]
pub(super) struct AuditEvents(Mutex<BTreeMap<AuditEventId, AuditEvent>>);

impl AuditEvents {
    /// All that there are.
    pub(super) fn lock(&self) -> MutexGuard<'_, BTreeMap<AuditEventId, AuditEvent>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds what a unit of work has written.
    pub(super) fn add(&self, written: Vec<AuditEvent>) {
        let mut events = self.lock();
        for event in written {
            let known = events.entry(event.id);
            let known = known.and_modify(|known| count_with(known, &event));
            known.or_insert(event);
        }
    }

    /// Takes the personal data of users out of what there is.
    pub(super) fn erase(&self, users: &[UserId]) {
        let mut events = self.lock();
        for user in users {
            events
                .values_mut()
                .for_each(|event| event.erase_user(*user));
        }
    }

    pub(super) fn delete_before(&self, before: Timestamp, limit: usize) -> usize {
        let mut events = self.lock();
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
