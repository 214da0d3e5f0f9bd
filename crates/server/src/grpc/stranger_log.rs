//! How often the log tells of calls by nobody who is known: whoever has no key
//! must not be able to fill a disk.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lines in a second.
const PER_SECOND: u32 = 20;

/// Counts what it lets through.
pub(crate) struct StrangerLog {
    state: Mutex<State>,
}

struct State {
    /// The second that is counted.
    since: Option<Instant>,
    logged: u32,
    left_out: u64,
}

impl StrangerLog {
    pub(crate) const fn new() -> Self {
        let state = State {
            since: None,
            logged: 0,
            left_out: 0,
        };
        Self {
            state: Mutex::new(state),
        }
    }

    /// Whether a line may be written at `now`. Says first how many were left out, as
    /// soon as lines are written again.
    pub(crate) fn may_write(&self, now: Instant) -> bool {
        let state = self.state.lock();
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        let (may_write, left_out) = state.count(now);
        drop(state);
        if let Some(left_out) = left_out {
            tracing::warn!(left_out, "calls of unknown callers were not logged");
        }
        may_write
    }
}

impl State {
    /// Whether a line may be written at `now`, and how many were left out of the
    /// second that has ended.
    fn count(&mut self, now: Instant) -> (bool, Option<u64>) {
        let mut left_out = None;
        let is_over = self
            .since
            .is_none_or(|since| now.saturating_duration_since(since) >= Duration::from_secs(1));
        if is_over {
            self.since = Some(now);
            self.logged = 0;
            left_out = Some(std::mem::take(&mut self.left_out)).filter(|count| *count > 0);
        }
        let may_write = self.logged < PER_SECOND;
        if may_write {
            self.logged += 1;
        } else {
            self.left_out += 1;
        }
        (may_write, left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grpc::call;

    #[test]
    fn in_a_second_some_are_logged_and_the_rest_is_counted() {
        let log = StrangerLog::new();
        let mut state = log.state.lock().expect("nobody else has it");
        let begin = call::now();
        let count = |state: &mut State, at: Duration, calls: u32| -> u32 {
            let written = (0..calls).map(|_| u32::from(state.count(begin + at).0));
            written.sum()
        };
        assert_eq!(count(&mut state, Duration::ZERO, 1_000), PER_SECOND);
        assert_eq!(count(&mut state, Duration::from_millis(999), 5), 0);
        let (may_write, left_out) = state.count(begin + Duration::from_secs(1));
        assert!(may_write);
        assert_eq!(left_out, Some(1_005 - u64::from(PER_SECOND)));
        assert_eq!(state.count(begin + Duration::from_secs(3)), (true, None));
    }
}
