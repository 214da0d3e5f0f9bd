//! Where the time comes from.

use std::time::Duration;

use crate::model::Timestamp;

/// The time of day, and time that only goes forward.
pub trait Clock: Send + Sync {
    /// The time of day.
    fn now(&self) -> Timestamp;

    /// Time since some fixed instant of this process. It never goes back.
    fn monotonic(&self) -> Duration;
}
