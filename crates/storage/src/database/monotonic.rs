//! Time that only goes forward, for measuring how long connections were idle
//! and how old a unit of work is. It does not tell the time of day.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Time since some fixed instant of this process.
#[expect(
    clippy::disallowed_methods,
    reason = "spans of this process, which no test turns by hand"
)]
pub(super) fn now() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// How long ago `earlier` was.
pub(super) fn since(earlier: Duration) -> Duration {
    now().saturating_sub(earlier)
}
