//! Removing a signing key at once.

use crate::application::{KeyKeeper, Repeats};
use crate::error::Error;

/// Removes a key at once, since somebody else has it.
#[derive(Debug)]
pub struct RevokeSigningKey {
    /// Its `kid`.
    pub kid: String,
}

impl RevokeSigningKey {
    /// Removes the key; if it signed, the next one takes over. Tells whether
    /// there was such a key.
    ///
    /// # Errors
    /// If the keys cannot be changed.
    pub async fn execute(self, keeper: KeyKeeper<'_>) -> Result<bool, Error> {
        let mut repeats = Repeats::default();
        loop {
            let keys = keeper.store.signing_keys().await?;
            let mut usable = keeper.usable(&keys);
            usable.retain(|key| key.kid != self.kid);
            match keeper.fill(&usable, Some(&self.kid)).await {
                Ok(()) => return Ok(true),
                Err(Error::Invalid(_)) => return Ok(false),
                Err(error) if repeats.allow(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }
}
