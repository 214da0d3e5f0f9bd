//! Deleting ended sessions in the server's batches, through the server's store.

use std::time::Duration;

use countersign_domain::model::Timestamp;
use countersign_domain::ports::{Retention, Store as _};
use countersign_storage::database::{Database, DatabaseSettings};

use crate::closed_loop::runtime;
use crate::crowded::end_sessions;
use crate::failure::{Context as _, Failure};
use crate::sample::{Sample, Stopwatch};

/// Sessions that are ended for a round.
const ENDED: u32 = 10_000;
/// The server's own batch.
const BATCH: u32 = 500;
/// For the database to write and purge what the round before has left.
const PAUSE: Duration = Duration::from_millis(1_500);

/// Cleans a database.
pub(crate) struct Cleaner {
    url: String,
}

impl Cleaner {
    pub(crate) fn new(url: &str) -> Self {
        Self { url: url.into() }
    }

    /// Ends sessions, and measures how fast they are deleted.
    pub(crate) fn round(&self) -> Result<Sample, Failure> {
        runtime()?.block_on(async {
            end_sessions(&self.url, ENDED).await?;
            let database = Database::connect(&DatabaseSettings::new(self.url.clone()))
                .await
                .context("the database")?;
            let now = database.now().await.context("the database's time")?;
            let retention = Retention {
                // Nothing else is deleted.
                now: Timestamp::from_millis(0),
                sessions_before: now,
                audit_before: Timestamp::from_millis(0),
            };
            tokio::time::sleep(PAUSE).await;
            let stopwatch = Stopwatch::start(None)?;
            let mut deleted = 0;
            loop {
                let batch = database.delete_expired(retention, BATCH).await;
                match batch.context("deleting ended sessions")? {
                    0 => break,
                    rows => deleted += rows,
                }
            }
            let sample = stopwatch.stop(deleted)?;
            database.close().await;
            if deleted != u64::from(ENDED) {
                return Err(Failure::new(format!(
                    "{deleted} sessions were deleted, and {ENDED} had ended"
                )));
            }
            Ok(sample)
        })
    }
}
