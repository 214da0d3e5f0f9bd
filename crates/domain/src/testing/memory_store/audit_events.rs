//! The audit log in memory. It grows with each change and is not read by units of work: so
//! none has a copy of it, but what it adds itself.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::{
    AuditCursor, AuditEvent, AuditEventId, AuditOutcome, EventDevice, Timestamp, UserId,
};

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

    /// Those with personal data of a user, oldest first.
    pub(super) fn with_data_of(
        &self,
        user: UserId,
        after: Option<&AuditCursor>,
        most: usize,
    ) -> Vec<AuditEventId> {
        let events = self.lock();
        let is_after = |id: &AuditEventId| {
            after.is_none_or(|after| id.as_bytes().as_slice() > after.0.as_slice())
        };
        let found = events
            .values()
            .filter(|event| is_after(&event.id) && erased(event, user) != **event);
        found.map(|event| event.id).take(most).collect()
    }

    /// Takes the personal data of users out of entries.
    pub(super) fn erase(&self, entries: &[(UserId, AuditEventId)]) {
        let mut events = self.lock();
        for (user, id) in entries {
            if let Some(event) = events.get_mut(id) {
                *event = erased(event, *user);
            }
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

/// An entry without the personal data of a user.
fn erased(event: &AuditEvent, user: UserId) -> AuditEvent {
    let mut event = event.clone();
    if event.target.user != Some(user) {
        return event;
    }
    if event.target.masked.take().is_some() {
        event.detail.clear();
    }
    if event.person.is_none_or(|person| person == user) {
        event.device = EventDevice::default();
    }
    event
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
