//! A clock that tests turn by hand.

use std::sync::Mutex;
use std::time::Duration;

use crate::model::Timestamp;
use crate::ports::Clock;

/// A clock that stands still until it is turned.
#[derive(Debug)]
pub struct HandClock {
    state: Mutex<(Timestamp, Duration)>,
}

impl HandClock {
    /// A clock that shows a fixed day of the year 2026.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: Mutex::new((Timestamp::from_seconds(1_790_000_000), Duration::ZERO)),
        }
    }

    /// Lets time pass.
    pub fn advance(&self, duration: Duration) {
        let mut state = self
            .state
            .lock()
            .expect("no test panics while it holds the clock");
        state.0 = state.0.plus(duration);
        state.1 += duration;
    }

    /// Lets the time of day jump, as an operator or NTP does.
    pub fn jump_to(&self, now: Timestamp) {
        self.state
            .lock()
            .expect("no test panics while it holds the clock")
            .0 = now;
    }
}

impl Default for HandClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        self.state
            .lock()
            .expect("no test panics while it holds the clock")
            .0
    }

    fn monotonic(&self) -> Duration {
        self.state
            .lock()
            .expect("no test panics while it holds the clock")
            .1
    }
}
