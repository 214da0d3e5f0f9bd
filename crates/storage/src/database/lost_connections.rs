//! When a connection was last lost: after that, and only then, the others are
//! tested before they are used, so that the common path is one round trip and
//! an outage costs one failed call, not one per pooled connection.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The memory of the last loss, shared between a store and its pools.
#[derive(Debug)]
pub(super) struct LostConnections {
    start: Instant,
    /// Microseconds from `start`; 0 if none was lost.
    last: AtomicU64,
}

impl LostConnections {
    pub(super) fn new() -> Self {
        Self {
            start: now(),
            last: AtomicU64::new(0),
        }
    }

    /// A connection was lost, or given up in the middle of a statement.
    pub(super) fn mark(&self) {
        let elapsed = now().duration_since(self.start).as_micros();
        let elapsed = u64::try_from(elapsed).unwrap_or(u64::MAX);
        self.last.fetch_max(elapsed.max(1), Ordering::Relaxed);
    }

    /// Whether one was lost within the last `span`.
    pub(super) fn within(&self, span: Duration) -> bool {
        match self.last.load(Ordering::Relaxed) {
            0 => false,
            last => now().duration_since(self.start) <= Duration::from_micros(last) + span,
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "measures how long connections were idle, as the pool does"
)]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_is_remembered_for_as_long_as_asked() {
        let lost = LostConnections::new();
        assert!(!lost.within(Duration::from_secs(3600)));
        lost.mark();
        assert!(lost.within(Duration::from_secs(3600)));
        std::thread::sleep(Duration::from_millis(20));
        assert!(!lost.within(Duration::from_millis(5)));
    }
}
