//! The clock and the randomness of this machine, behind the ports of the domain.

use std::cell::RefCell;
use std::time::{Duration, Instant, SystemTime};

use aws_lc_rs::rand;
use countersign_domain::model::Timestamp;
use countersign_domain::ports::{Clock, Random};
use zeroize::{Zeroize as _, Zeroizing};

/// The machine's clocks.
#[derive(Debug, Clone)]
pub struct SystemClock {
    started: Instant,
}

/// The cryptographic library's random generator, seeded by the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

/// Random bytes that were drawn ahead: a draw costs a microsecond, however few
/// bytes it is for.
struct DrawnAhead {
    bytes: Zeroizing<[u8; DrawnAhead::SIZE]>,
    /// How many are left, from the beginning on.
    left: usize,
}

thread_local! {
    static DRAWN_AHEAD: RefCell<DrawnAhead> = RefCell::new(DrawnAhead::nothing());
}

impl DrawnAhead {
    const SIZE: usize = 512;

    fn nothing() -> Self {
        Self {
            bytes: Zeroizing::new([0; Self::SIZE]),
            left: 0,
        }
    }

    /// Hands bytes out, and keeps no copy of them. At most [`Self::SIZE`].
    fn take(&mut self, wanted: &mut [u8]) {
        if self.left < wanted.len() {
            draw(&mut *self.bytes);
            self.left = Self::SIZE;
        }
        let taken = self.left - wanted.len()..self.left;
        wanted.copy_from_slice(&self.bytes[taken.clone()]);
        self.bytes[taken].zeroize();
        self.left -= wanted.len();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the Random that the others are told to use"
)]
fn draw(bytes: &mut [u8]) {
    rand::fill(bytes).expect("the random generator of the operating system works");
}

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
    fn fill(&self, bytes: &mut [u8]) {
        if bytes.len() > DrawnAhead::SIZE {
            draw(bytes);
        } else {
            DRAWN_AHEAD.with_borrow_mut(|ahead| ahead.take(bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

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
    fn no_two_draws_are_alike_on_any_thread() {
        let draw = || {
            let mut drawn = Vec::new();
            for size in [16, 12, 32].into_iter().cycle().take(200) {
                let mut bytes = vec![0; size];
                SystemRandom.fill(&mut bytes);
                drawn.push(bytes);
            }
            drawn
        };
        let other = std::thread::spawn(draw);
        let mut drawn = draw();
        drawn.extend(other.join().expect("no panic"));
        let different: HashSet<_> = drawn.iter().map(|bytes| &bytes[..12]).collect();
        assert_eq!(different.len(), drawn.len());
        assert!(!different.contains(&[0; 12][..]));
    }

    #[test]
    fn what_was_handed_out_is_not_kept() {
        let mut ahead = DrawnAhead::nothing();
        let mut bytes = [0; 100];
        for _ in 0..5 {
            ahead.take(&mut bytes);
        }
        assert_eq!(ahead.left, 12);
        assert!(ahead.bytes[12..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn a_long_draw_is_filled_to_its_end() {
        let mut bytes = [0; 4096];
        SystemRandom.fill(&mut bytes);
        let zeros = bytes.iter().filter(|byte| **byte == 0).count();
        assert!(zeros < 64, "{zeros} of 4096 bytes are 0");
    }
}
