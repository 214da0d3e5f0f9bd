//! Signing keys at rest.

use async_trait::async_trait;

use super::StoreError;
use crate::model::{KeyState, SealedSigningKey, Timestamp};

/// Reads signing keys.
#[async_trait]
pub trait SigningKeys {
    /// All signing keys. A row that cannot be read is left out, and named in
    /// the log.
    async fn signing_keys(&self) -> Result<Vec<SealedSigningKey>, StoreError>;
}

/// Changes signing keys.
#[async_trait]
pub trait SigningKeyChanges {
    /// Adds a signing key; [`StoreError::Taken`] if there is one of its
    /// state already (`next` and `active` exist once).
    async fn insert_signing_key(&mut self, key: &SealedSigningKey) -> Result<(), StoreError>;

    /// Moves a signing key from one state to another; tells whether it was in
    /// the first. `expires_at` is written when it retires.
    async fn move_signing_key(
        &mut self,
        kid: &str,
        from: KeyState,
        to: KeyState,
        expires_at: Option<Timestamp>,
    ) -> Result<bool, StoreError>;

    /// Deletes a signing key, readable or not; tells whether it was there.
    async fn delete_signing_key(&mut self, kid: &str) -> Result<bool, StoreError>;

    /// Deletes whatever holds the place of `state`, readable or not: `next` and
    /// `active` exist once. Tells whether there was one.
    async fn clear_signing_key_state(&mut self, state: KeyState) -> Result<bool, StoreError>;
}
