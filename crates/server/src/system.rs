//! The clock and the randomness of this machine, behind the ports of the domain.

use std::time::{Duration, Instant, SystemTime};

use aws_lc_rs::rand;
use countersign_domain::model::Timestamp;
use countersign_domain::ports::{Clock, Random};

/// The machine's clocks.
#[derive(Debug, Clone)]
pub struct SystemClock {
    started: Instant,
}

/// The cryptographic library's random generator, seeded by the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl SystemClock {
    /// A clock whose monotonic time starts now.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the Clock that the others are told to use"
    )]
    pub fn new() -> Self {
        Self {
            started: Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the Clock that the others are told to use"
    )]
    fn now(&self) -> Timestamp {
        // A clock that stands before 1970 shows 1970.
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Timestamp::from_millis(0).plus(since.unwrap_or_default())
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}

impl Random for SystemRandom {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the Random that the others are told to use"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        rand::fill(bytes).expect("the random generator of the operating system works");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_shows_this_century_and_goes_on() {
        let clock = SystemClock::new();
        let (now, monotonic) = (clock.now(), clock.monotonic());
        assert!(now > Timestamp::from_seconds(1_750_000_000), "{now:?}");
        std::thread::sleep(Duration::from_millis(2));
        assert!(clock.now() > now);
        assert!(clock.monotonic() >= monotonic + Duration::from_millis(2));
    }

    #[test]
    fn two_draws_differ() {
        let mut draws = [[0; 32]; 2];
        for draw in &mut draws {
            SystemRandom.fill(draw);
        }
        assert_ne!(draws[0], draws[1]);
        assert_ne!(draws[0], [0; 32]);
    }
}
