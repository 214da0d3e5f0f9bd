//! How often the log tells of what may happen with every message: whoever makes
//! many must not be able to fill a disk.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Between two lines.
const PAUSE: Duration = Duration::from_secs(60);

/// Lets one line a minute through, and counts the others.
#[derive(Debug, Default)]
pub struct SeldomLog {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    written_at: Option<Duration>,
    left_out: u64,
}

impl SeldomLog {
    /// Whether a line may be written at `now`, by monotonic time: then how many were
    /// left out since the last one.
    pub fn may_write(&self, now: Duration) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_early = |at: Duration| now.saturating_sub(at) < PAUSE;
        if state.written_at.is_some_and(is_early) {
            state.left_out += 1;
            return None;
        }
        state.written_at = Some(now);
        Some(std::mem::take(&mut state.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_minute_is_written_and_the_rest_is_counted() {
        let log = SeldomLog::default();
        let at = Duration::from_secs;
        assert_eq!(log.may_write(at(5)), Some(0));
        let others = (5..65).filter_map(|second| log.may_write(at(second)));
        assert_eq!(others.count(), 0);
        assert_eq!(log.may_write(at(65)), Some(60));
        assert_eq!(log.may_write(at(200)), Some(0));
    }
}
