//! Deleting what has outlived its use, and forgetting it.

use std::time::Duration;

use crate::application::Application;
use crate::error::Error;
use crate::ports::{Clock as _, Retention};

/// Deletes what has outlived its use.
#[derive(Debug)]
pub struct DeleteExpired {
    /// Rows of each kind in one batch.
    pub batch: u32,
}

/// How long an ended session is kept, so that its owner can see it.
const KEPT_SESSIONS: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl DeleteExpired {
    /// Deletes batch after batch until nothing is left, and tells how many
    /// rows.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn execute(self, app: &Application) -> Result<u64, Error> {
        app.feed.forget_expired(app.clock.monotonic());
        let now = app.clock.now();
        let retention = Retention {
            now,
            sessions_before: now.minus(KEPT_SESSIONS),
            audit_before: now.minus(app.settings.audit_retention),
        };
        let mut total = 0;
        loop {
            let deleted = app.store.delete_expired(retention, self.batch).await?;
            total += deleted;
            if deleted < u64::from(self.batch) {
                return Ok(total);
            }
        }
    }
}
