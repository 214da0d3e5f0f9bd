//! The clock that timers go by.

use tokio::time::Instant;

/// The present, from which deadlines of connections are counted.
#[expect(
    clippy::disallowed_methods,
    reason = "deadlines are timers of this process; tokens go by the Clock"
)]
pub(super) fn now() -> Instant {
    Instant::now()
}
