//! Attempts that were refused, on their way to the audit log. Whoever guesses can make
//! millions of them: they are counted in memory, for each account, action, reason and hour,
//! and a job writes the counts down. Who is no user leaves none.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Refusal};
use crate::model::{AuditEvent, AuditEventId, AuditOutcome, AuditRefusal};

/// Counts refused attempts until they are written down.
#[derive(Debug, Default)]
pub struct RefusedLog {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    counted: HashMap<AuditEventId, AuditEvent>,
    left_out: u64,
}

/// What is to be written down.
#[derive(Debug, Default)]
pub(crate) struct RefusedToWrite {
    /// An entry for each account, action, reason and hour, in the order of their ids.
    pub(crate) events: Vec<AuditEvent>,
    /// How many attempts are in none: there were too many accounts.
    pub(crate) left_out: u64,
}

impl RefusedLog {
    /// How many entries are kept at the most.
    pub const CAPACITY: usize = 10_000;

    /// Counts an attempt at something that a user does, if it was refused as a guess is, or
    /// as somebody who is blocked.
    pub(crate) fn note(&self, attempt: AuditEvent, error: &Error) {
        if let Error::Refused(refusal) = error
            && let Some(reason) = reason(refusal)
        {
            self.add(attempt.counted(reason));
        }
    }

    /// Counts what could not be written down again.
    pub(crate) fn give_back(&self, events: Vec<AuditEvent>) {
        for event in events {
            self.add(event);
        }
    }

    /// Takes what is to be written down.
    pub(crate) fn take(&self) -> RefusedToWrite {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { counted, left_out } = std::mem::take(&mut *state);
        let mut events: Vec<_> = counted.into_values().collect();
        // Replicas that count in the same rows must not wait for each other in a circle.
        events.sort_by_key(|event| event.id);
        RefusedToWrite { events, left_out }
    }

    fn add(&self, event: AuditEvent) {
        let AuditOutcome::Refused(more) = event.outcome else {
            return;
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = state.counted.len() >= Self::CAPACITY;
        match state.counted.get_mut(&event.id) {
            Some(known) => {
                let AuditOutcome::Refused(mut attempts) = known.outcome else {
                    return;
                };
                if attempts.add(more) {
                    *known = event;
                }
                known.outcome = AuditOutcome::Refused(attempts);
            }
            None if is_full => state.left_out += u64::from(more.count),
            None => {
                state.counted.insert(event.id, event);
            }
        }
    }
}

/// Why an attempt was refused, if it was one that the log tells of.
fn reason(refusal: &Refusal) -> Option<AuditRefusal> {
    match refusal {
        Refusal::SignIn => Some(AuditRefusal::SignIn),
        Refusal::Password => Some(AuditRefusal::Password),
        Refusal::SecondFactor => Some(AuditRefusal::SecondFactor),
        Refusal::Code { .. } => Some(AuditRefusal::Code),
        Refusal::SecondFactorMissing => Some(AuditRefusal::SecondFactorMissing),
        Refusal::UserSuspended => Some(AuditRefusal::UserSuspended),
        Refusal::UserWithdrawn { .. } => Some(AuditRefusal::UserWithdrawn),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AuditAction, GroupId, Origin, Timestamp, UserId};
    use crate::ports::Random;

    struct Zeros;

    impl Random for Zeros {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    fn attempt(user: u32) -> AuditEvent {
        let now = Timestamp::from_seconds(1_790_000_000);
        let mut id = [0; 16];
        id[..4].copy_from_slice(&user.to_be_bytes());
        AuditEvent::new(AuditAction::SessionOpened, Origin::server(), now, &Zeros)
            .on_user(UserId::from_bytes(id), &GroupId::fallback())
    }

    fn counts(taken: &RefusedToWrite) -> Vec<u32> {
        let counts = taken.events.iter().map(|event| match event.outcome {
            AuditOutcome::Refused(attempts) => attempts.count,
            AuditOutcome::Succeeded => 0,
        });
        counts.collect()
    }

    #[test]
    fn guesses_at_an_account_are_counted_and_other_failures_are_not() {
        let log = RefusedLog::default();
        for _ in 0..1000 {
            log.note(attempt(1), &Refusal::SignIn.into());
        }
        log.note(attempt(2), &Refusal::UserSuspended.into());
        log.note(attempt(3), &Refusal::Proof.into());
        log.note(attempt(3), &Error::Unavailable(String::new()));
        let taken = log.take();
        assert_eq!(counts(&taken).iter().sum::<u32>(), 1001);
        assert_eq!(taken.events.len(), 2);
        assert!(log.take().events.is_empty());
        log.give_back(taken.events);
        log.note(attempt(1), &Refusal::SignIn.into());
        assert_eq!(counts(&log.take()).iter().sum::<u32>(), 1002);
    }

    #[test]
    fn more_accounts_than_there_is_room_for_are_told_by_number() {
        let log = RefusedLog::default();
        for user in 0..RefusedLog::CAPACITY as u32 + 7 {
            log.note(attempt(user), &Refusal::SignIn.into());
        }
        log.note(attempt(0), &Refusal::SignIn.into());
        let taken = log.take();
        assert_eq!(taken.events.len(), RefusedLog::CAPACITY);
        assert_eq!(taken.left_out, 7);
        assert_eq!(log.take().left_out, 0);
    }
}
