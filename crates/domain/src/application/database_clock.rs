//! The one clock of all replicas: the database's time, carried on this
//! machine's monotonic clock from one reading to the next.
//!
//! Replicas' clocks differ and jump; what one stamps the other judges. So none
//! of them goes by its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::model::Timestamp;
use crate::ports::{Clock, Store, StoreError};

/// A clock that shows the database's time.
pub struct DatabaseClock {
    machine: Arc<dyn Clock>,
    /// Milliseconds from the monotonic clock to the database's.
    offset: AtomicI64,
}

impl DatabaseClock {
    /// A clock that goes by the store's database.
    ///
    /// # Errors
    /// If the database does not tell its time.
    pub async fn start(machine: Arc<dyn Clock>, store: &dyn Store) -> Result<Self, StoreError> {
        let clock = Self {
            machine,
            offset: AtomicI64::new(0),
        };
        let (offset, _, _) = clock.measure(store).await?;
        clock.offset.store(offset, Ordering::Relaxed);
        Ok(clock)
    }

    /// Reads the database's time, follows it, and returns what was read. A
    /// difference that the duration of the reading explains moves nothing, so
    /// that the clock does not tremble.
    ///
    /// # Errors
    /// If the database does not tell its time. The clock then goes on.
    pub async fn synchronise(&self, store: &dyn Store) -> Result<Timestamp, StoreError> {
        let (offset, uncertainty, read) = self.measure(store).await?;
        let moved = offset.saturating_sub(self.offset.load(Ordering::Relaxed));
        if moved.abs() > uncertainty {
            self.offset.store(offset, Ordering::Relaxed);
        }
        Ok(read)
    }

    /// How far the machine's own clock is ahead of the database's, in
    /// milliseconds; negative if it is behind.
    #[must_use]
    pub fn machine_ahead_by(&self) -> i64 {
        let (machine, database) = (self.machine.now(), self.now());
        machine.as_millis().saturating_sub(database.as_millis())
    }

    /// The offset, by how much it may be wrong, and the time that was read.
    async fn measure(&self, store: &dyn Store) -> Result<(i64, i64, Timestamp), StoreError> {
        let before = millis(self.machine.monotonic());
        let read = store.now().await?;
        let after = millis(self.machine.monotonic());
        let half = (after - before) / 2;
        let offset = read.as_millis().saturating_sub(before + half);
        Ok((offset, half + 1, read))
    }
}

impl Clock for DatabaseClock {
    fn now(&self) -> Timestamp {
        let offset = self.offset.load(Ordering::Relaxed);
        Timestamp::from_millis(offset.saturating_add(millis(self.machine.monotonic())))
    }

    fn monotonic(&self) -> Duration {
        self.machine.monotonic()
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl std::fmt::Debug for DatabaseClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatabaseClock")
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}
