//! The service accounts, each with its credentials.

use async_trait::async_trait;

use super::StoreError;
use crate::model::{
    GroupId, PageSize, ServiceAccount, ServiceAccountCredential, ServiceAccountCredentialId,
    ServiceAccountId, SessionId,
};

/// Reads service accounts. A credential that cannot be read is unreadable in its place,
/// unless not even its id or its `sid` can be: then it is left out, and named in the
/// log.
#[async_trait]
pub trait ServiceAccounts {
    /// A service account.
    async fn service_account(
        &self,
        id: ServiceAccountId,
    ) -> Result<Option<ServiceAccount>, StoreError>;

    /// A page of the service accounts of a group, or of all, in the order of their ids,
    /// after the id `after`. A row that cannot be read is left out, and named in the
    /// log.
    async fn service_accounts_after(
        &self,
        group: Option<&GroupId>,
        after: Option<ServiceAccountId>,
        size: PageSize,
    ) -> Result<ServiceAccountPage, StoreError>;
}

/// A part of the list of service accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceAccountPage {
    /// Those that can be read.
    pub accounts: Vec<ServiceAccount>,
    /// After which id the next page begins. `None` after the last one.
    pub next: Option<ServiceAccountId>,
}

/// Changes service accounts.
#[async_trait]
pub trait ServiceAccountChanges {
    /// Adds a service account without its credentials; [`StoreError::Taken`] if there is
    /// one of its id.
    async fn insert_service_account(&mut self, account: &ServiceAccount) -> Result<(), StoreError>;

    /// Reads a service account, and keeps others from changing it until the unit of work
    /// ends.
    async fn lock_service_account(
        &mut self,
        id: ServiceAccountId,
    ) -> Result<Option<ServiceAccount>, StoreError>;

    /// Writes what has changed of a service account that is locked, but for its
    /// credentials.
    async fn update_service_account(&mut self, account: &ServiceAccount) -> Result<(), StoreError>;

    /// Deletes a service account with its credentials; tells whether it was there.
    async fn delete_service_account(&mut self, id: ServiceAccountId) -> Result<bool, StoreError>;

    /// Whether a service account is in the group. To be relied on if the group is locked.
    async fn has_service_accounts(&mut self, group: &GroupId) -> Result<bool, StoreError>;

    /// Adds a credential to a service account, which must be there.
    async fn insert_service_account_credential(
        &mut self,
        account: ServiceAccountId,
        credential: &ServiceAccountCredential,
    ) -> Result<(), StoreError>;

    /// Gives a credential of a service account another `sid`; tells whether it was there.
    async fn renew_service_account_sid(
        &mut self,
        account: ServiceAccountId,
        credential: ServiceAccountCredentialId,
        sid: SessionId,
    ) -> Result<bool, StoreError>;

    /// Deletes a credential of a service account; tells whether it was there.
    async fn delete_service_account_credential(
        &mut self,
        account: ServiceAccountId,
        credential: ServiceAccountCredentialId,
    ) -> Result<bool, StoreError>;
}
