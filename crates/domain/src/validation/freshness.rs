//! How old what was read of the database is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// When the last complete reading began, on the monotonic clock.
#[derive(Debug)]
pub(super) struct Freshness(AtomicU64);

/// Monotonic milliseconds that no reading has.
const NEVER: u64 = u64::MAX;

impl Freshness {
    /// Nothing was read yet.
    pub(super) fn new() -> Self {
        Self(AtomicU64::new(NEVER))
    }

    /// Notes a complete reading. Of two readings at the same time, the one that
    /// began later counts.
    pub(super) fn note(&self, began: Duration) {
        let began = millis(began);
        self.0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |known| {
                (known == NEVER || known < began).then_some(began)
            })
            .ok();
    }

    /// Whether a complete reading began at most `bound` before `now`.
    pub(super) fn is_within(&self, now: Duration, bound: Duration) -> bool {
        self.age(now).is_some_and(|age| age <= bound)
    }

    /// How long ago the last complete reading began. `None` if there was none.
    pub(super) fn age(&self, now: Duration) -> Option<Duration> {
        match self.0.load(Ordering::Acquire) {
            NEVER => None,
            began => Some(Duration::from_millis(millis(now).saturating_sub(began))),
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(NEVER - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_read_is_never_fresh() {
        let freshness = Freshness::new();
        let seconds = Duration::from_secs;
        assert!(!freshness.is_within(Duration::ZERO, seconds(10)));
        freshness.note(seconds(5));
        assert!(freshness.is_within(seconds(15), seconds(10)));
        assert!(!freshness.is_within(Duration::from_millis(15_001), seconds(10)));
    }

    #[test]
    fn a_reading_that_began_earlier_makes_nothing_older() {
        let freshness = Freshness::new();
        freshness.note(Duration::from_secs(9));
        freshness.note(Duration::from_secs(3));
        assert_eq!(
            freshness.age(Duration::from_secs(10)),
            Some(Duration::from_secs(1))
        );
    }
}
