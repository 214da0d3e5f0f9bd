//! Making the signing keys that are missing.

use crate::application::{KeyKeeper, Repeats};
use crate::error::Error;
use crate::model::SealedSigningKey;
use crate::ports::StoreError;

/// Makes the keys that are missing.
#[derive(Debug)]
pub struct EnsureSigningKeys;

impl EnsureSigningKeys {
    /// Makes an active and a next key where there is none that can be read, and
    /// returns all keys. A next key of another algorithm than the configured
    /// one is replaced.
    ///
    /// # Errors
    /// If there are keys and none can be read: then the master key is another
    /// one. If the keys cannot be made or kept.
    pub async fn execute(self, keeper: KeyKeeper<'_>) -> Result<Vec<SealedSigningKey>, Error> {
        let mut repeats = Repeats::default();
        loop {
            let keys = keeper.store.signing_keys().await?;
            keeper
                .check(&keys)
                .map_err(|error| Error::Internal(error.to_string()))?;
            let usable = keeper.usable(&keys);
            if keeper.is_complete(&usable) {
                return Ok(keys);
            }
            match keeper.fill(&usable, None).await {
                Ok(()) | Err(Error::Store(StoreError::Taken)) => {}
                Err(error) if repeats.allow(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }
}
