//! Reading the groups of all replicas.

use crate::application::Application;
use crate::error::Error;

/// Reads all groups.
#[derive(Debug)]
pub struct ReadGroups;

/// How often a reading is begun anew for changes that were made meanwhile.
const ROUNDS: u32 = 4;

impl ReadGroups {
    /// Reads the groups, again if one was changed here meanwhile.
    ///
    /// # Errors
    /// If the database cannot tell. What was known is kept.
    pub async fn execute(self, app: &Application) -> Result<(), Error> {
        let known = app.groups.known();
        for _ in 0..ROUNDS {
            let begun = known.begin_reading();
            if known.replace(app.store.groups().await?, begun) {
                return Ok(());
            }
        }
        // The next reading comes by itself.
        Ok(())
    }
}
