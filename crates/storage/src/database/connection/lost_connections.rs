//! What is known about losses: after one, and only then, the other connections
//! are tested before they are used. So the common path is one round trip, and
//! an outage costs one failed call, not one for each connection.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::database::monotonic;

/// For how long a new connection's answer that the database is read-only stands
/// for the others.
const READ_ONLY_FOR: Duration = Duration::from_millis(250);

/// The memory of losses, shared by all connections to a database. Times are
/// microseconds on the monotonic clock; 0 is never.
#[derive(Debug, Default)]
pub(in crate::database) struct LostConnections {
    /// When a connection was last lost.
    suspected: AtomicU64,
    /// When a connection last refused a write, or turned out to be read-only.
    refused: AtomicU64,
    /// When a connection last failed its test.
    condemned: AtomicU64,
    /// When a new connection was last found to be read-only.
    read_only: AtomicU64,
}

/// What to think of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// Nothing has happened since it was last heard of, and known to take writes.
    Full,
    /// Another was lost or refused a write since: it must be tested.
    Suspended,
    /// Another failed its test since: it is replaced without one.
    Withdrawn,
}

impl LostConnections {
    /// A connection was lost then, or has not answered a statement that began
    /// then. What was heard of since is none the worse for it.
    pub(super) fn suspect(&self, at: Duration) {
        mark(&self.suspected, at);
    }

    /// A connection takes no writes: others may lead to the same server, and go
    /// on reading there what is out of date.
    pub(super) fn note_refusal(&self) {
        mark(&self.refused, monotonic::now());
    }

    /// A connection did not pass its test, which began then: one that began in
    /// an outage ends after it, and must not undo what was opened meanwhile.
    pub(super) fn condemn(&self, began: Duration) {
        mark(&self.condemned, began);
    }

    /// A new connection is read-only: opening more of them does not help yet.
    pub(super) fn note_read_only(&self) {
        mark(&self.read_only, monotonic::now());
    }

    /// What to think of a connection that was last heard of, and last known to
    /// take writes, at these times. An answer to a read is a sign of life alone.
    pub(super) fn trust(&self, heard_at: Duration, writable_at: Duration) -> Trust {
        let (heard_at, writable_at) = (micros(heard_at), micros(writable_at));
        if heard_at <= self.condemned.load(Ordering::Relaxed) {
            Trust::Withdrawn
        } else if heard_at <= self.suspected.load(Ordering::Relaxed)
            || writable_at <= self.refused.load(Ordering::Relaxed)
        {
            Trust::Suspended
        } else {
            Trust::Full
        }
    }

    /// Whether there was a loss or a refused write within the last `span`.
    pub(in crate::database) fn within(&self, span: Duration) -> bool {
        let marks = [&self.suspected, &self.refused, &self.condemned];
        marks.into_iter().any(|mark| is_within(mark, span))
    }

    pub(super) fn is_read_only(&self) -> bool {
        is_within(&self.read_only, READ_ONLY_FOR)
    }
}

fn mark(time: &AtomicU64, at: Duration) {
    time.fetch_max(micros(at).max(1), Ordering::Relaxed);
}

fn is_within(time: &AtomicU64, span: Duration) -> bool {
    match time.load(Ordering::Relaxed) {
        0 => false,
        time => monotonic::since(Duration::from_micros(time)) <= span,
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_is_remembered_for_as_long_as_asked() {
        let lost = LostConnections::default();
        assert!(!lost.within(Duration::from_secs(3600)));
        lost.suspect(monotonic::now());
        assert!(lost.within(Duration::from_secs(3600)));
        std::thread::sleep(Duration::from_millis(20));
        assert!(!lost.within(Duration::from_millis(5)));
    }

    #[test]
    fn what_was_heard_of_after_a_loss_is_trusted() {
        let lost = LostConnections::default();
        let before = monotonic::now();
        assert_eq!(lost.trust(before, before), Trust::Full);
        lost.suspect(monotonic::now());
        assert_eq!(lost.trust(before, before), Trust::Suspended);
        lost.condemn(monotonic::now());
        assert_eq!(lost.trust(before, before), Trust::Withdrawn);
        std::thread::sleep(Duration::from_millis(1));
        assert_eq!(lost.trust(monotonic::now(), before), Trust::Full);
    }

    #[test]
    fn a_test_that_fails_withdraws_no_trust_from_what_was_heard_of_meanwhile() {
        let lost = LostConnections::default();
        let before = monotonic::now();
        std::thread::sleep(Duration::from_millis(1));
        let began = monotonic::now();
        std::thread::sleep(Duration::from_millis(1));
        let meanwhile = monotonic::now();
        lost.condemn(began);
        assert_eq!(lost.trust(before, before), Trust::Withdrawn);
        assert_eq!(lost.trust(meanwhile, meanwhile), Trust::Full);
    }

    #[test]
    fn after_a_refused_write_an_answer_to_a_read_restores_no_trust() {
        let lost = LostConnections::default();
        let before = monotonic::now();
        lost.note_refusal();
        std::thread::sleep(Duration::from_millis(1));
        let now = monotonic::now();
        assert_eq!(lost.trust(now, before), Trust::Suspended);
        assert_eq!(lost.trust(now, now), Trust::Full);
    }

    #[test]
    fn that_new_connections_are_read_only_is_soon_forgotten() {
        let lost = LostConnections::default();
        assert!(!lost.is_read_only());
        lost.note_read_only();
        assert!(lost.is_read_only());
        std::thread::sleep(READ_ONLY_FOR + Duration::from_millis(20));
        assert!(!lost.is_read_only());
    }
}
