//! Passwords, and how often they were missed in a row.

use async_trait::async_trait;

use super::MemoryStore;
use super::unit_of_work::MemoryUnitOfWork;
use crate::model::{PasswordCredential, PasswordHash, Timestamp, UserId};
use crate::ports::{CredentialChanges, Credentials, StoreError};

#[async_trait]
impl Credentials for MemoryStore {
    async fn count_attempt(&self, user: UserId, cap: u32) -> Result<bool, StoreError> {
        self.write(|tables| match tables.credentials.get_mut(&user) {
            Some(credential) if credential.failures < cap => {
                credential.failures += 1;
                true
            }
            _ => false,
        })
        .await
    }

    /// Nothing here takes longer than anything else.
    async fn count_attempt_of_nobody(&self, _row: u8) -> Result<(), StoreError> {
        Ok(())
    }
}

#[async_trait]
impl CredentialChanges for MemoryUnitOfWork {
    async fn lock_credential(
        &mut self,
        user: UserId,
    ) -> Result<Option<PasswordCredential>, StoreError> {
        Ok(self.tables.credentials.get(&user).cloned())
    }

    async fn put_credential(&mut self, credential: &PasswordCredential) -> Result<(), StoreError> {
        self.raise_credential_version(credential.user_id).await?;
        let credentials = &mut self.tables.credentials;
        credentials.insert(credential.user_id, credential.clone());
        Ok(())
    }

    async fn raise_credential_version(&mut self, user: UserId) -> Result<(), StoreError> {
        let user = self.tables.users.get_mut(&user);
        user.ok_or(StoreError::Conflict)?.credential_version += 1;
        Ok(())
    }

    async fn delete_credential(&mut self, user: UserId) -> Result<(), StoreError> {
        self.tables.credentials.remove(&user);
        Ok(())
    }

    async fn clear_failures(
        &mut self,
        user: UserId,
        rehashed: Option<&PasswordHash>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if let Some(credential) = self.tables.credentials.get_mut(&user) {
            credential.failures = 0;
            if let Some(hash) = rehashed {
                credential.hash = hash.clone();
                credential.updated_at = now;
            }
        }
        Ok(())
    }
}
