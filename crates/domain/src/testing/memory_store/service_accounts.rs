//! The service accounts.

use std::sync::PoisonError;

use async_trait::async_trait;

use super::MemoryStore;
use super::tables::insert;
use super::unit_of_work::MemoryUnitOfWork;
use crate::model::{
    GroupId, PageSize, ServiceAccount, ServiceAccountCredential, ServiceAccountCredentialId,
    ServiceAccountCredentialKind, ServiceAccountId, SessionId,
};
use crate::ports::{ServiceAccountChanges, ServiceAccountPage, ServiceAccounts, StoreError};

impl MemoryStore {
    /// From now on none of the credentials of a service account can be read.
    pub fn damage_service_account_credentials(&self, id: ServiceAccountId) {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(account) = tables.service_accounts.get_mut(&id) {
            for credential in &mut account.credentials {
                credential.kind = ServiceAccountCredentialKind::Unreadable;
            }
        }
    }
}

#[async_trait]
impl ServiceAccounts for MemoryStore {
    async fn service_account(
        &self,
        id: ServiceAccountId,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        self.read(|tables| tables.service_accounts.get(&id).cloned())
    }

    async fn service_accounts_after(
        &self,
        group: Option<&GroupId>,
        after: Option<ServiceAccountId>,
        size: PageSize,
    ) -> Result<ServiceAccountPage, StoreError> {
        self.read(|tables| {
            let size = size.get() as usize;
            let is_wanted = |account: &&ServiceAccount| {
                group.is_none_or(|group| account.group == *group)
                    && after.is_none_or(|after| account.id > after)
            };
            let wanted = tables.service_accounts.values().filter(is_wanted);
            let mut accounts: Vec<_> = wanted.take(size + 1).cloned().collect();
            let has_more = accounts.len() > size;
            accounts.truncate(size);
            let last = accounts.last().map(|account| account.id);
            ServiceAccountPage {
                next: last.filter(|_| has_more),
                accounts,
            }
        })
    }
}

impl MemoryUnitOfWork {
    fn credentials(
        &mut self,
        account: ServiceAccountId,
    ) -> Option<&mut Vec<ServiceAccountCredential>> {
        let account = self.tables.service_accounts.get_mut(&account);
        account.map(|account| &mut account.credentials)
    }
}

#[async_trait]
impl ServiceAccountChanges for MemoryUnitOfWork {
    async fn insert_service_account(&mut self, account: &ServiceAccount) -> Result<(), StoreError> {
        let row = ServiceAccount {
            credentials: Vec::new(),
            ..account.clone()
        };
        insert(&mut self.tables.service_accounts, account.id, row)
    }

    async fn lock_service_account(
        &mut self,
        id: ServiceAccountId,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        Ok(self.tables.service_accounts.get(&id).cloned())
    }

    async fn update_service_account(&mut self, account: &ServiceAccount) -> Result<(), StoreError> {
        let known = self.tables.service_accounts.get_mut(&account.id);
        let known = known.ok_or(StoreError::Conflict)?;
        *known = ServiceAccount {
            group: known.group.clone(),
            created_at: known.created_at,
            credentials: std::mem::take(&mut known.credentials),
            ..account.clone()
        };
        Ok(())
    }

    async fn delete_service_account(&mut self, id: ServiceAccountId) -> Result<bool, StoreError> {
        Ok(self.tables.service_accounts.remove(&id).is_some())
    }

    async fn has_service_accounts(&mut self, group: &GroupId) -> Result<bool, StoreError> {
        let mut accounts = self.tables.service_accounts.values();
        Ok(accounts.any(|account| account.group == *group))
    }

    async fn insert_service_account_credential(
        &mut self,
        account: ServiceAccountId,
        credential: &ServiceAccountCredential,
    ) -> Result<(), StoreError> {
        let known = self.tables.service_accounts.values();
        let mut known = known.flat_map(|account| &account.credentials);
        if known.any(|known| known.id == credential.id || known.sid == credential.sid) {
            return Err(StoreError::Taken);
        }
        let credentials = self.credentials(account).ok_or(StoreError::Conflict)?;
        credentials.push(credential.clone());
        credentials.sort_by_key(|credential| (credential.created_at, credential.id));
        Ok(())
    }

    async fn renew_service_account_sid(
        &mut self,
        account: ServiceAccountId,
        credential: ServiceAccountCredentialId,
        sid: SessionId,
    ) -> Result<bool, StoreError> {
        let credentials = self.credentials(account).into_iter().flatten();
        let mut wanted = credentials.filter(|known| known.id == credential);
        Ok(wanted.next().map(|known| known.sid = sid).is_some())
    }

    async fn delete_service_account_credential(
        &mut self,
        account: ServiceAccountId,
        credential: ServiceAccountCredentialId,
    ) -> Result<bool, StoreError> {
        let Some(credentials) = self.credentials(account) else {
            return Ok(false);
        };
        let before = credentials.len();
        credentials.retain(|known| known.id != credential);
        Ok(credentials.len() < before)
    }
}
