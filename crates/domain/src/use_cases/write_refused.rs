//! Writing down in the audit log how often attempts were refused.

use crate::application::Application;
use crate::error::Error;
use crate::model::AuditEvent;
use crate::ports::StoreError;

/// Writes the counts of refused attempts down.
#[derive(Debug)]
pub struct WriteRefused;

/// Entries in one unit of work.
const BATCH: usize = 100;

impl WriteRefused {
    /// Writes all that were counted since, and tells how many attempts were left out: at
    /// more accounts than there is room for.
    ///
    /// # Errors
    /// If the database fails. What is not written is counted on; what may have been
    /// written, too, so that a count may be too high and is never too low.
    pub async fn execute(self, app: &Application) -> Result<u64, Error> {
        let taken = app.refused.take();
        let mut events = taken.events;
        while !events.is_empty() {
            let batch = &events[..events.len().min(BATCH)];
            if let Err(error) = write(app, batch).await {
                app.refused.give_back(events);
                return Err(error.into());
            }
            events.drain(..events.len().min(BATCH));
        }
        Ok(taken.left_out)
    }
}

async fn write(app: &Application, events: &[AuditEvent]) -> Result<(), StoreError> {
    let mut uow = app.store.begin().await?;
    for event in events {
        uow.count_refused(event).await?;
    }
    uow.commit().await
}
