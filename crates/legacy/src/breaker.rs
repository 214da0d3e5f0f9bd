//! A circuit breaker: a database that does not answer is left alone for a while, so
//! that sign-ins do not wait for it one after the other.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Failures in a row after which it is left alone.
const FAILURES: u32 = 3;
/// For how long, before one question tries it again.
const PAUSE: Duration = Duration::from_secs(5);

/// The state, by monotonic time.
#[derive(Debug, Default)]
pub(crate) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// Nobody asks before then. After it one does, and the others wait for what comes
    /// of that, or for another pause.
    left_alone_until: Option<Duration>,
}

impl Breaker {
    /// Whether a question may be asked now.
    pub(crate) fn admits(&self, now: Duration) -> bool {
        let mut state = self.state();
        match state.left_alone_until {
            None => true,
            Some(until) if now < until => false,
            Some(_) => {
                state.left_alone_until = Some(now + PAUSE);
                true
            }
        }
    }

    /// It answered. Tells whether it was left alone until now.
    pub(crate) fn succeeded(&self) -> bool {
        std::mem::take(&mut *self.state())
            .left_alone_until
            .is_some()
    }

    /// It did not. Tells whether it is left alone from now on, and was not before.
    pub(crate) fn failed(&self, now: Duration) -> bool {
        let mut state = self.state();
        state.failures = state.failures.saturating_add(1);
        if state.failures < FAILURES {
            return false;
        }
        state.left_alone_until.replace(now + PAUSE).is_none()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn what_fails_is_left_alone_and_tried_by_one_after_a_pause() {
        let breaker = Breaker::default();
        let opened: Vec<bool> = (0..FAILURES).map(|_| breaker.failed(at(1))).collect();
        assert_eq!(opened, [false, false, true]);
        assert!(!breaker.admits(at(1)));
        assert!(!breaker.admits(at(5)));
        let admitted = (0..10).filter(|_| breaker.admits(at(6))).count();
        assert_eq!(admitted, 1);
        assert!(!breaker.failed(at(6)), "it was left alone before");
        assert!(!breaker.admits(at(10)));
        assert!(breaker.admits(at(11)));
        assert!(breaker.succeeded());
        assert!(breaker.admits(at(11)) && breaker.admits(at(11)));
        assert!(!breaker.succeeded());
    }

    #[test]
    fn failures_that_are_not_in_a_row_do_not_count() {
        let breaker = Breaker::default();
        for _ in 0..10 {
            assert!(!breaker.failed(at(1)));
            breaker.succeeded();
        }
        assert!(breaker.admits(at(1)));
    }
}
