//! A circuit breaker: a provider that fails again and again is left alone for a
//! while, so that messages need not wait for it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Failures in a row after which a provider is left alone.
const FAILURES: u32 = 5;
/// For how long, before one message tries it again.
const PAUSE: Duration = Duration::from_secs(30);
/// What a provider may ask for with Retry-After.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// The state of one provider, by monotonic time.
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// Nobody tries before then. After it one does, and the others wait for
    /// what comes of it, or for another pause.
    left_alone_until: Option<Duration>,
}

impl Breaker {
    /// Whether a message may be tried now.
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

    /// The provider works. Whether it was left alone until now.
    pub(crate) fn succeeded(&self) -> bool {
        let before = std::mem::take(&mut *self.state());
        before.left_alone_until.is_some()
    }

    /// The provider does not work, and may say how long it wants to be left
    /// alone. Whether it is left alone from now on, and was not before.
    pub(crate) fn failed(&self, now: Duration, retry_after: Option<Duration>) -> bool {
        let mut state = self.state();
        let before = state.left_alone_until;
        state.failures = state.failures.saturating_add(1);
        let asked = retry_after.map(|pause| pause.min(LONGEST_PAUSE));
        let own = (state.failures >= FAILURES).then_some(PAUSE);
        if let Some(pause) = asked.max(own) {
            state.left_alone_until = before.max(Some(now + pause));
        }
        before.is_none() && state.left_alone_until.is_some()
    }

    /// Whether the provider is left alone at the moment.
    pub(crate) fn is_open(&self, now: Duration) -> bool {
        self.state()
            .left_alone_until
            .is_some_and(|until| now < until)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn five_failures_in_a_row_leave_the_provider_alone_for_a_while() {
        let breaker = Breaker::default();
        for _ in 0..4 {
            breaker.failed(at(0), None);
        }
        breaker.succeeded();
        for _ in 0..4 {
            breaker.failed(at(0), None);
        }
        assert!(breaker.admits(at(0)), "four in a row");
        breaker.failed(at(0), None);
        assert!(breaker.is_open(at(29)));
        assert!(!breaker.admits(at(29)));
    }

    #[test]
    fn after_the_pause_one_message_tries_it_for_all() {
        let breaker = Breaker::default();
        for _ in 0..5 {
            breaker.failed(at(0), None);
        }
        assert!(breaker.admits(at(30)));
        assert!(!breaker.admits(at(31)), "one is trying");
        breaker.failed(at(32), None);
        assert!(!breaker.admits(at(61)), "it failed");
        assert!(breaker.admits(at(62)));
        breaker.succeeded();
        assert!(breaker.admits(at(62)) && breaker.admits(at(62)));
        assert!(!breaker.is_open(at(62)));
    }

    #[test]
    fn a_try_that_never_ends_keeps_nobody_out_for_ever() {
        let breaker = Breaker::default();
        for _ in 0..5 {
            breaker.failed(at(0), None);
        }
        assert!(breaker.admits(at(30)));
        assert!(breaker.admits(at(60)));
    }

    #[test]
    fn a_provider_that_asks_for_time_is_given_it_within_bounds() {
        let breaker = Breaker::default();
        breaker.failed(at(0), Some(at(60)));
        assert!(!breaker.admits(at(59)));
        assert!(breaker.admits(at(60)));
        breaker.succeeded();
        breaker.failed(at(100), Some(at(86_400)));
        assert!(!breaker.admits(at(399)));
        assert!(breaker.admits(at(400)));
    }
}
