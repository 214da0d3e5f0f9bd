//! What the service does by itself: reading the revocations and the keys of the
//! other replicas, and deleting what has outlived its use.

use std::time::Duration;

use crate::application::Application;
use crate::error::Error;
use crate::ports::Horizon;

/// Reads what the other replicas have revoked, and their keys.
#[derive(Debug)]
pub struct ReadFeed;

/// Deletes what has outlived its use.
#[derive(Debug)]
pub struct DeleteExpired {
    /// Rows of each kind in one batch.
    pub batch: u32,
}

/// How far back the feed is read each time. A row that commits late, or whose
/// writer's clock is behind, is found all the same.
const OVERLAP: Duration = Duration::from_secs(120);

/// How long an ended session is kept, so that its owner can see it.
const KEPT_SESSIONS: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl ReadFeed {
    /// Reads the feed and the keys. The first reading goes back to the oldest
    /// entry that is needed.
    ///
    /// # Errors
    /// If the database cannot tell, or a key cannot be opened.
    pub async fn execute(self, app: &Application) -> Result<(), Error> {
        let began = app.clock.monotonic();
        let now = app.clock.now();
        let window = if app.feed.was_read() {
            OVERLAP
        } else {
            OVERLAP + app.settings.tokens.revocation_ttl()
        };
        let revocations = app.store.revocations(now.minus(window), now).await?;
        let keys = app.store.signing_keys().await?;
        app.feed.enter(revocations);
        app.feed.forget_expired(now);
        app.keyring
            .replace(keys, &app.master_key)
            .map_err(|error| Error::Internal(error.to_string()))?;
        app.feed.note_reading(began);
        Ok(())
    }
}

impl DeleteExpired {
    /// Deletes batch after batch until nothing is left, and tells how many
    /// rows.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn execute(self, app: &Application) -> Result<u64, Error> {
        let now = app.clock.now();
        let horizon = Horizon {
            now,
            sessions_before: now.minus(KEPT_SESSIONS),
            pending_before: now.minus(app.settings.pending_ttl),
        };
        let mut total = 0;
        loop {
            let deleted = app.store.delete_expired(horizon, self.batch).await?;
            total += deleted;
            if deleted < u64::from(self.batch) {
                return Ok(total);
            }
        }
    }
}
