//! A unit of work on a copy of everything, which takes the place of the original
//! when it is committed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::OwnedMutexGuard;

use super::{Holder, Tables};
use crate::model::{
    Caller, CallerName, GroupId, Identifier, KeyState, PasswordCredential, PasswordHash,
    SealedSigningKey, Session, SessionId, Timestamp, User, UserId, UserState,
};
use crate::ports::{StoreError, UnitOfWork};

pub(super) struct MemoryUnitOfWork {
    pub(super) committed: Arc<Mutex<Tables>>,
    pub(super) tables: Tables,
    pub(super) _writer: OwnedMutexGuard<()>,
}

/// Adds a row whose key must be free.
fn insert<K: Ord, V>(table: &mut BTreeMap<K, V>, key: K, row: V) -> Result<(), StoreError> {
    if table.contains_key(&key) {
        return Err(StoreError::Taken);
    }
    table.insert(key, row);
    Ok(())
}

#[async_trait]
impl UnitOfWork for MemoryUnitOfWork {
    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        let mut committed = self
            .committed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *committed = self.tables;
        Ok(())
    }

    async fn lock_user(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.tables.users.get(&id).cloned())
    }

    async fn lock_user_by_identifier(
        &mut self,
        group: &GroupId,
        identifier: &Identifier,
    ) -> Result<Option<User>, StoreError> {
        let holder = self.tables.holder(group, identifier);
        Ok(holder.and_then(|holder| self.tables.users.get(&holder.user).cloned()))
    }

    async fn insert_user(&mut self, user: &User) -> Result<(), StoreError> {
        insert(&mut self.tables.users, user.id, user.clone())
    }

    async fn activate_user(&mut self, id: UserId, now: Timestamp) -> Result<(), StoreError> {
        match self.tables.users.get_mut(&id) {
            Some(user) if user.state == UserState::Pending => user.state = UserState::Active,
            _ => return Ok(()),
        }
        for ((_, identifier), holder) in &mut self.tables.identifiers {
            let is_address = !matches!(identifier, Identifier::Username(_));
            if holder.user == id && is_address && holder.verified_at.is_none() {
                holder.verified_at = Some(now);
            }
        }
        Ok(())
    }

    async fn delete_user(&mut self, id: UserId) -> Result<(), StoreError> {
        self.tables.delete_user(id);
        Ok(())
    }

    async fn insert_identifier(
        &mut self,
        user: &User,
        identifier: &Identifier,
        verified_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        if !self.tables.users.contains_key(&user.id) {
            return Err(StoreError::Conflict);
        }
        let holder = Holder {
            user: user.id,
            verified_at,
        };
        let key = (user.group.clone(), identifier.clone());
        insert(&mut self.tables.identifiers, key, holder)
    }

    async fn lock_credential(
        &mut self,
        user: UserId,
    ) -> Result<Option<PasswordCredential>, StoreError> {
        Ok(self.tables.credentials.get(&user).cloned())
    }

    async fn put_credential(&mut self, credential: &PasswordCredential) -> Result<(), StoreError> {
        if !self.tables.users.contains_key(&credential.user_id) {
            return Err(StoreError::Conflict);
        }
        let credentials = &mut self.tables.credentials;
        credentials.insert(credential.user_id, credential.clone());
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

    async fn insert_session(&mut self, session: &Session) -> Result<(), StoreError> {
        if !self.tables.users.contains_key(&session.user_id) {
            return Err(StoreError::Conflict);
        }
        insert(&mut self.tables.sessions, session.id, session.clone())
    }

    async fn revoke_session(
        &mut self,
        id: SessionId,
        now: Timestamp,
        needed_for: Duration,
    ) -> Result<bool, StoreError> {
        Ok(self.tables.revoke(id, now, needed_for))
    }

    async fn revoke_user_sessions(
        &mut self,
        user: UserId,
        keep: Option<SessionId>,
        now: Timestamp,
        needed_for: Duration,
    ) -> Result<Vec<SessionId>, StoreError> {
        let of_user = self.tables.sessions.values().filter(|s| s.user_id == user);
        let mut ids: Vec<_> = of_user.map(|session| session.id).collect();
        ids.retain(|id| Some(*id) != keep && self.tables.revoke(*id, now, needed_for));
        Ok(ids)
    }

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

    async fn insert_caller(&mut self, caller: &Caller) -> Result<(), StoreError> {
        insert(
            &mut self.tables.callers,
            caller.name.clone(),
            caller.clone(),
        )
    }

    async fn delete_caller(&mut self, name: &CallerName) -> Result<bool, StoreError> {
        Ok(self.tables.callers.remove(name).is_some())
    }
}
