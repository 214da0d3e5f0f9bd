//! Accounts at providers that are linked to users.

use async_trait::async_trait;

use super::MemoryStore;
use super::tables::{Tables, insert};
use super::unit_of_work::MemoryUnitOfWork;
use crate::model::{
    FederatedIdentity, FederatedIdentityId, GroupId, SubjectDigest, Timestamp, UserId,
};
use crate::ports::{FederatedIdentities, FederatedIdentityChanges, StoreError};

impl MemoryStore {
    /// Damages all linked accounts, as a failing disk would.
    pub async fn damage_federated_identities(&self) {
        let damage = |tables: &mut Tables| {
            for identity in tables.federated_identities.values_mut() {
                identity.sealed[20] ^= 1;
            }
        };
        self.write(damage).await.ok();
    }
}

#[async_trait]
impl FederatedIdentities for MemoryStore {
    async fn federated_identities(
        &self,
        user: UserId,
    ) -> Result<Vec<Result<FederatedIdentity, StoreError>>, StoreError> {
        self.read(|tables| of_user(tables, user))
    }

    async fn federated_identity(
        &self,
        group: &GroupId,
        subject: &SubjectDigest,
    ) -> Result<Option<FederatedIdentity>, StoreError> {
        self.read(|tables| {
            let mut all = tables.federated_identities.values();
            let found = all.find(|of| of.group == *group && of.subject == *subject);
            found.cloned()
        })
    }

    async fn federated_identities_of(
        &self,
        subject: &SubjectDigest,
    ) -> Result<Vec<Result<FederatedIdentity, StoreError>>, StoreError> {
        self.read(|tables| {
            let all = tables.federated_identities.values();
            let of_subject = all.filter(|identity| identity.subject == *subject);
            of_subject.cloned().map(Ok).collect()
        })
    }
}

#[async_trait]
impl FederatedIdentityChanges for MemoryUnitOfWork {
    async fn insert_federated_identity(
        &mut self,
        identity: &FederatedIdentity,
    ) -> Result<(), StoreError> {
        if !self.tables.users.contains_key(&identity.user_id) {
            return Err(StoreError::Conflict);
        }
        let identities = &mut self.tables.federated_identities;
        let is_same = |other: &FederatedIdentity| {
            other.group == identity.group && other.subject == identity.subject
        };
        if identities.values().any(is_same) {
            return Err(StoreError::Taken);
        }
        insert(identities, identity.id, identity.clone())
    }

    async fn use_federated_identity(
        &mut self,
        user: UserId,
        id: FederatedIdentityId,
        at: Timestamp,
        sealed: &[u8],
    ) -> Result<bool, StoreError> {
        let identities = &mut self.tables.federated_identities;
        let found = identities.get_mut(&id).filter(|of| of.user_id == user);
        let Some(identity) = found else {
            return Ok(false);
        };
        identity.last_used_at = Some(at);
        identity.sealed = sealed.to_vec();
        Ok(true)
    }

    async fn delete_federated_identity(
        &mut self,
        user: UserId,
        id: FederatedIdentityId,
    ) -> Result<bool, StoreError> {
        let identities = &mut self.tables.federated_identities;
        let is_there = identities.get(&id).is_some_and(|of| of.user_id == user);
        if is_there {
            identities.remove(&id);
        }
        Ok(is_there)
    }

    async fn delete_federated_identities(&mut self, user: UserId) -> Result<(), StoreError> {
        let identities = &mut self.tables.federated_identities;
        identities.retain(|_, identity| identity.user_id != user);
        Ok(())
    }

    async fn delete_federated_identities_since(
        &mut self,
        user: UserId,
        since: Timestamp,
    ) -> Result<(), StoreError> {
        let identities = &mut self.tables.federated_identities;
        identities.retain(|_, identity| identity.user_id != user || identity.linked_at < since);
        Ok(())
    }

    async fn federated_identities_of_user(
        &mut self,
        user: UserId,
    ) -> Result<Vec<Result<FederatedIdentity, StoreError>>, StoreError> {
        Ok(of_user(&self.tables, user))
    }

    async fn count_federated_identities(&mut self, user: UserId) -> Result<u32, StoreError> {
        let identities = self.tables.federated_identities.values();
        let count = identities
            .filter(|identity| identity.user_id == user)
            .count();
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }
}

fn of_user(tables: &Tables, user: UserId) -> Vec<Result<FederatedIdentity, StoreError>> {
    let all = tables.federated_identities.values();
    let mut of_user: Vec<_> = all.filter(|identity| identity.user_id == user).collect();
    of_user.sort_by_key(|identity| (identity.linked_at, identity.id));
    of_user.into_iter().cloned().map(Ok).collect()
}
