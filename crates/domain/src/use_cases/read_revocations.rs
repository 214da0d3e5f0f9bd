//! Reading what all replicas have revoked.

use crate::application::Application;
use crate::error::Error;
use crate::ports::Clock as _;

/// Reads the revocation feed, and follows the database's clock.
#[derive(Debug)]
pub struct ReadRevocations;

impl ReadRevocations {
    /// Reads what may have become readable since the last complete reading.
    ///
    /// # Errors
    /// If the database cannot tell. What was known is kept.
    pub async fn execute(self, app: &Application) -> Result<(), Error> {
        let began = app.clock.monotonic();
        let read_at = app.clock.synchronise(&*app.store).await?;
        let since = app.feed.read_from(read_at);
        let revocations = app.store.revocations(since, app.clock.now()).await?;
        app.feed.enter(&revocations, &*app.clock);
        app.feed.note_reading(read_at, began);
        app.feed.forget_expired(app.clock.monotonic());
        Ok(())
    }
}
