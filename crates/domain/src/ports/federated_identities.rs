//! Accounts at providers that are linked to users.

use async_trait::async_trait;

use super::StoreError;
use crate::model::{
    FederatedIdentity, FederatedIdentityId, GroupId, SubjectDigest, Timestamp, UserId,
};

/// Reads linked accounts.
#[async_trait]
pub trait FederatedIdentities {
    /// Those of a user, the oldest first. One that cannot be read is an error in its place, and
    /// named in the log.
    async fn federated_identities(
        &self,
        user: UserId,
    ) -> Result<Vec<Result<FederatedIdentity, StoreError>>, StoreError>;

    /// The one of an account at a provider in a group.
    async fn federated_identity(
        &self,
        group: &GroupId,
        subject: &SubjectDigest,
    ) -> Result<Option<FederatedIdentity>, StoreError>;

    /// Those of an account at a provider in all groups. One that cannot be read is an error in its
    /// place, and named in the log.
    async fn federated_identities_of(
        &self,
        subject: &SubjectDigest,
    ) -> Result<Vec<Result<FederatedIdentity, StoreError>>, StoreError>;
}

/// Changes linked accounts. Who changes those of a user has locked the user.
#[async_trait]
pub trait FederatedIdentityChanges {
    /// Links an account to its user, who must be there; [`StoreError::Taken`] if it is a user's of
    /// the group, or its id is taken.
    async fn insert_federated_identity(
        &mut self,
        identity: &FederatedIdentity,
    ) -> Result<(), StoreError>;

    /// Tells that the person has signed in with it, and keeps what is known of it since. Tells
    /// whether it was there, as the user's.
    async fn use_federated_identity(
        &mut self,
        user: UserId,
        id: FederatedIdentityId,
        at: Timestamp,
        sealed: &[u8],
    ) -> Result<bool, StoreError>;

    /// Unlinks an account of a user, readable or not; tells whether it was there.
    async fn delete_federated_identity(
        &mut self,
        user: UserId,
        id: FederatedIdentityId,
    ) -> Result<bool, StoreError>;

    /// Unlinks all accounts of a user, readable or not.
    async fn delete_federated_identities(&mut self, user: UserId) -> Result<(), StoreError>;

    /// Unlinks the accounts of a user that were linked at this time or later, readable or not.
    async fn delete_federated_identities_since(
        &mut self,
        user: UserId,
        since: Timestamp,
    ) -> Result<(), StoreError>;

    /// The accounts of a user, the oldest first, as this unit of work has left them. One that
    /// cannot be read is an error in its place.
    async fn federated_identities_of_user(
        &mut self,
        user: UserId,
    ) -> Result<Vec<Result<FederatedIdentity, StoreError>>, StoreError>;

    /// How many accounts a user has, readable or not.
    async fn count_federated_identities(&mut self, user: UserId) -> Result<u32, StoreError>;
}
