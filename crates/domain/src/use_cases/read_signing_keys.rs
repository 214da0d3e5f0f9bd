//! Reading the signing keys of all replicas.

use crate::application::Application;
use crate::error::Error;
use crate::ports::Clock as _;

/// Reads the keys of all replicas.
#[derive(Debug)]
pub struct ReadSigningKeys;

impl ReadSigningKeys {
    /// Reads the keys.
    ///
    /// # Errors
    /// If the database cannot tell. What was known is kept.
    pub async fn execute(self, app: &Application) -> Result<(), Error> {
        let began = app.clock.monotonic();
        app.keyring.replace(app.store.signing_keys().await?);
        app.keyring.note_reading(began);
        Ok(())
    }
}
