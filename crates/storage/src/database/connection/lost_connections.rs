//! What is known about losses: after one, and only then, the other connections
//! are tested before they are used. So the common path is one round trip, and
//! an outage costs one failed call, not one for each connection.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::database::monotonic;

/// For how long a new connection's answer that the database is read-only stands
/// for the others.
const READ_ONLY_FOR: Duration = Duration::from_secs(1);

/// The memory of losses, shared by all connections to a database. Times are
/// microseconds on the monotonic clock; 0 is never.
#[derive(Debug, Default)]
pub(in crate::database) struct LostConnections {
    /// When a connection was last lost, or refused a write.
    suspected: AtomicU64,
    /// When a connection last failed its test.
    condemned: AtomicU64,
    /// When a new connection was last found to be read-only.
    read_only: AtomicU64,
}

/// What to think of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// Nothing has happened since it was last heard of.
    Full,
    /// Another was lost since: it must be tested.
    Suspended,
    /// Another failed its test since: it is replaced without one.
    Withdrawn,
}

impl LostConnections {
    /// A connection was lost in the middle of a statement, or refused a write.
    pub(super) fn suspect(&self) {
        mark(&self.suspected);
    }

    /// A connection did not pass its test.
    pub(super) fn condemn(&self) {
        mark(&self.condemned);
    }

    /// A new connection is read-only: opening more of them does not help yet.
    pub(super) fn note_read_only(&self) {
        mark(&self.read_only);
    }

    /// What to think of a connection that was last heard of at that time.
    pub(super) fn trust(&self, heard_at: Duration) -> Trust {
        let heard_at = micros(heard_at);
        if heard_at <= self.condemned.load(Ordering::Relaxed) {
            Trust::Withdrawn
        } else if heard_at <= self.suspected.load(Ordering::Relaxed) {
            Trust::Suspended
        } else {
            Trust::Full
        }
    }

    /// Whether there was a loss or a refused write within the last `span`.
    pub(in crate::database) fn within(&self, span: Duration) -> bool {
        is_within(&self.suspected, span) || is_within(&self.condemned, span)
    }

    pub(super) fn is_read_only(&self) -> bool {
        is_within(&self.read_only, READ_ONLY_FOR)
    }
}

fn mark(time: &AtomicU64) {
    time.fetch_max(micros(monotonic::now()).max(1), Ordering::Relaxed);
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
        lost.suspect();
        assert!(lost.within(Duration::from_secs(3600)));
        std::thread::sleep(Duration::from_millis(20));
        assert!(!lost.within(Duration::from_millis(5)));
    }

    #[test]
    fn what_was_heard_of_after_a_loss_is_trusted() {
        let lost = LostConnections::default();
        let before = monotonic::now();
        assert_eq!(lost.trust(before), Trust::Full);
        lost.suspect();
        assert_eq!(lost.trust(before), Trust::Suspended);
        lost.condemn();
        assert_eq!(lost.trust(before), Trust::Withdrawn);
        std::thread::sleep(Duration::from_millis(1));
        assert_eq!(lost.trust(monotonic::now()), Trust::Full);
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
