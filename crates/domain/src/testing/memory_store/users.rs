//! Users and their identifiers.

use std::sync::atomic::Ordering;

use async_trait::async_trait;

use super::MemoryStore;
use super::tables::{Tables, insert};
use super::unit_of_work::MemoryUnitOfWork;
use crate::model::{
    Address, ExternalId, GroupId, Identifier, PageSize, User, UserCursor, UserId, UserQuery,
    UserState,
};
use crate::ports::{Account, DueUsers, ListedUser, StoreError, UserChanges, UserPage, Users};

impl MemoryStore {
    /// From now on a user cannot be read to be changed, as if its row were damaged.
    pub fn damage_user(&self, id: UserId) {
        let mut tables = self
            .tables
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        tables.damaged_users.insert(id);
    }
}

impl Tables {
    fn account(&self, id: UserId) -> Option<Account> {
        Some(Account {
            user: self.users.get(&id)?.clone(),
            credential: self.credentials.get(&id).cloned(),
        })
    }

    fn holder(&self, group: &GroupId, identifier: &Identifier) -> Option<UserId> {
        let key = (group.clone(), identifier.clone());
        self.identifiers.get(&key).copied()
    }

    fn by_external_id(&self, group: &GroupId, id: &ExternalId) -> Option<&User> {
        let mut users = self.users.values();
        users.find(|user| user.group == *group && user.external_id.as_ref() == Some(id))
    }

    fn check_external_id(&self, user: &User) -> Result<(), StoreError> {
        let id = user.external_id.as_ref();
        match id.and_then(|id| self.by_external_id(&user.group, id)) {
            Some(holder) if holder.id != user.id => Err(StoreError::Taken),
            _ => Ok(()),
        }
    }

    fn addresses(&self, id: UserId) -> Vec<Address> {
        let of_user = self.identifiers.iter().filter(|(_, user)| **user == id);
        of_user
            .filter_map(|((_, identifier), _)| identifier.address())
            .collect()
    }
}

#[async_trait]
impl Users for MemoryStore {
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.read(|tables| tables.users.get(&id).cloned())
    }

    async fn account(&self, id: UserId) -> Result<Option<Account>, StoreError> {
        self.read(|tables| tables.account(id))
    }

    async fn account_by_identifier(
        &self,
        group: &GroupId,
        identifier: &Identifier,
    ) -> Result<Option<Account>, StoreError> {
        self.faults.accounts_read.fetch_add(1, Ordering::SeqCst);
        self.read(|tables| tables.account(tables.holder(group, identifier)?))
    }

    async fn user_by_external_id(
        &self,
        group: &GroupId,
        id: &ExternalId,
    ) -> Result<Option<User>, StoreError> {
        self.read(|tables| tables.by_external_id(group, id).cloned())
    }

    async fn listed_user(&self, id: UserId) -> Result<Option<ListedUser>, StoreError> {
        self.read(|tables| tables.users.get(&id).map(|user| tables.listed(user)))
    }

    async fn list_users(
        &self,
        query: &UserQuery,
        size: PageSize,
        after: Option<&UserCursor>,
    ) -> Result<UserPage, StoreError> {
        self.read(|tables| tables.list(query, size, after))
    }

    async fn due_users(
        &self,
        due: DueUsers,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Vec<UserId>, StoreError> {
        let is_due = |user: &&User| match (&user.state, due) {
            (UserState::Suspended(suspension), DueUsers::SuspendedUntil(at)) => {
                suspension.is_over(at)
            }
            (UserState::Withdrawn(withdrawal), DueUsers::WithdrawnAt(at)) => {
                !withdrawal.erased && withdrawal.at <= at
            }
            _ => false,
        };
        self.read(|tables| {
            let due = tables.users.values().filter(is_due).map(|user| user.id);
            due.filter(|id| after.is_none_or(|after| *id > after))
                .take(limit as usize)
                .collect()
        })
    }

    async fn addresses(&self, id: UserId) -> Result<Vec<Address>, StoreError> {
        self.read(|tables| tables.addresses(id))
    }
}

#[async_trait]
impl UserChanges for MemoryUnitOfWork {
    async fn lock_user(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        match self.tables.damaged_users.contains(&id) {
            true => Err(StoreError::Corrupt("users.roles".into())),
            false => Ok(self.tables.users.get(&id).cloned()),
        }
    }

    async fn lock_user_by_identifier(
        &mut self,
        group: &GroupId,
        identifier: &Identifier,
    ) -> Result<Option<User>, StoreError> {
        let holder = self.tables.holder(group, identifier);
        Ok(holder.and_then(|id| self.tables.users.get(&id).cloned()))
    }

    async fn insert_user(&mut self, user: &User) -> Result<(), StoreError> {
        self.tables.check_external_id(user)?;
        insert(&mut self.tables.users, user.id, user.clone())
    }

    async fn update_user(&mut self, user: &User) -> Result<(), StoreError> {
        self.tables.check_external_id(user)?;
        let stored = self.tables.users.get_mut(&user.id);
        let stored = stored.ok_or(StoreError::Conflict)?;
        *stored = User {
            group: stored.group.clone(),
            credential_version: stored.credential_version,
            created_at: stored.created_at,
            ..user.clone()
        };
        Ok(())
    }

    async fn delete_user(&mut self, id: UserId) -> Result<(), StoreError> {
        self.tables.users.remove(&id);
        self.tables.damaged_users.remove(&id);
        self.tables.identifiers.retain(|_, user| *user != id);
        self.tables.credentials.remove(&id);
        let sessions = &mut self.tables.sessions;
        sessions.retain(|_, session| session.user_id != id);
        let factors = &mut self.tables.factors;
        factors.retain(|_, factor| factor.user_id != id);
        let recovery_codes = &mut self.tables.recovery_codes;
        recovery_codes.retain(|(user, _)| *user != id);
        let devices = &mut self.tables.devices;
        devices.retain(|_, (_, device)| device.user_id != id);
        let undos = &mut self.tables.identifier_undos;
        undos.retain(|_, (_, undo)| undo.user_id != id);
        let identities = &mut self.tables.federated_identities;
        identities.retain(|_, identity| identity.user_id != id);
        Ok(())
    }

    async fn insert_identifier(
        &mut self,
        user: &User,
        identifier: &Identifier,
    ) -> Result<(), StoreError> {
        if !self.tables.users.contains_key(&user.id) {
            return Err(StoreError::Conflict);
        }
        let key = (user.group.clone(), identifier.clone());
        insert(&mut self.tables.identifiers, key, user.id)
    }

    async fn addresses_of(&mut self, id: UserId) -> Result<Vec<Address>, StoreError> {
        Ok(self.tables.addresses(id))
    }

    async fn identifiers_of(&mut self, id: UserId) -> Result<Vec<Identifier>, StoreError> {
        Ok(self.tables.identifiers_of(id))
    }

    async fn delete_identifier(
        &mut self,
        user: &User,
        identifier: &Identifier,
    ) -> Result<bool, StoreError> {
        let key = (user.group.clone(), identifier.clone());
        let is_theirs = self.tables.identifiers.get(&key) == Some(&user.id);
        if is_theirs {
            self.tables.identifiers.remove(&key);
        }
        Ok(is_theirs)
    }
}
