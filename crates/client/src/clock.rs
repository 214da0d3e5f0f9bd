//! The time as a `Verifier` reads it: this crate runs inside other people's
//! services, so the system's clock is the default and a test brings its own.

use std::time::{Instant, SystemTime};

/// A clock: the calendar, to tell whether a token has expired, and a time that
/// never jumps, to tell how old a verdict is.
pub trait Clock: Send + Sync + 'static {
    /// The time of the calendar.
    fn now(&self) -> SystemTime;

    /// A time that only goes forward, whatever happens to the calendar.
    fn instant(&self) -> Instant;
}

/// The clock of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the default of a library that other services embed: they have no Clock port"
    )]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the default of a library that other services embed: they have no Clock port"
    )]
    fn instant(&self) -> Instant {
        Instant::now()
    }
}
