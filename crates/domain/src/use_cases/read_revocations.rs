//! Reading what all replicas have revoked.

use std::time::Duration;

use crate::application::Application;
use crate::error::Error;
use crate::model::Timestamp;
use crate::ports::{Clock as _, FeedPosition};

/// A reading of the revocation feed, page by page, so that it succeeds however
/// much there is to be read.
#[derive(Debug)]
pub struct ReadRevocations {
    /// The database's time at the beginning.
    read_at: Timestamp,
    /// The beginning on the monotonic clock.
    began: Duration,
    next: FeedPosition,
}

/// Revocations in a page.
const PAGE: u32 = 10_000;

impl ReadRevocations {
    /// Begins a reading of what may have become readable since the last complete
    /// one, and follows the database's clock.
    ///
    /// # Errors
    /// If the database does not tell its time.
    pub async fn begin(app: &Application) -> Result<Self, Error> {
        let began = app.clock.monotonic();
        let read_at = app.clock.synchronise(&*app.store).await?;
        let next = FeedPosition::since(app.feed.read_from(read_at));
        Ok(Self {
            read_at,
            began,
            next,
        })
    }

    /// Reads and enters a page. `None` if it was the last one, with which the
    /// reading is complete.
    ///
    /// # Errors
    /// If the database cannot tell. What was entered is kept.
    pub async fn read_page(mut self, app: &Application) -> Result<Option<Self>, Error> {
        let now = app.clock.now();
        let page = app.store.revocations(&self.next, now, PAGE).await?;
        app.feed.enter(&page.revocations, &*app.clock);
        if let Some(next) = page.next {
            self.next = next;
            return Ok(Some(self));
        }
        app.feed.note_reading(self.read_at, self.began);
        Ok(None)
    }
}
