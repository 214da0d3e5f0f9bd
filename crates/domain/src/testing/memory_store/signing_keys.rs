//! Signing keys at rest.

use async_trait::async_trait;

use super::MemoryStore;
use super::tables::{Tables, delete_over, insert};
use super::unit_of_work::MemoryUnitOfWork;
use crate::model::{KeyState, SealedSigningKey, Timestamp};
use crate::ports::{Retention, SigningKeyChanges, SigningKeys, StoreError};

impl Tables {
    fn has_key_of(&self, state: KeyState) -> bool {
        state != KeyState::Retired && self.signing_keys.values().any(|key| key.state == state)
    }

    pub(super) fn delete_expired_keys(&mut self, retention: Retention, limit: usize) -> usize {
        delete_over(&mut self.signing_keys, limit, |key| {
            key.state == KeyState::Retired && key.expires_at.is_some_and(|at| at < retention.now)
        })
    }
}

#[async_trait]
impl SigningKeys for MemoryStore {
    async fn signing_keys(&self) -> Result<Vec<SealedSigningKey>, StoreError> {
        self.read(|tables| tables.signing_keys.values().cloned().collect())
    }
}

#[async_trait]
impl SigningKeyChanges for MemoryUnitOfWork {
    async fn insert_signing_key(&mut self, key: &SealedSigningKey) -> Result<(), StoreError> {
        if self.tables.has_key_of(key.state) {
            return Err(StoreError::Taken);
        }
        insert(&mut self.tables.signing_keys, key.kid.clone(), key.clone())
    }

    async fn move_signing_key(
        &mut self,
        kid: &str,
        from: KeyState,
        to: KeyState,
        expires_at: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let is_taken = self.tables.has_key_of(to);
        let keys = &mut self.tables.signing_keys;
        let Some(key) = keys.get_mut(kid).filter(|key| key.state == from) else {
            return Ok(false);
        };
        if is_taken {
            return Err(StoreError::Taken);
        }
        key.state = to;
        key.expires_at = expires_at;
        Ok(true)
    }

    async fn delete_signing_key(&mut self, kid: &str) -> Result<bool, StoreError> {
        Ok(self.tables.signing_keys.remove(kid).is_some())
    }

    async fn clear_signing_key_state(&mut self, state: KeyState) -> Result<bool, StoreError> {
        let was_there = self.tables.has_key_of(state);
        if was_there {
            self.tables.signing_keys.retain(|_, key| key.state != state);
        }
        Ok(was_there)
    }
}
