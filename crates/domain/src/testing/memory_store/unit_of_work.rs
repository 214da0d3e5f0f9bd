//! Changes to a copy of the tables.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::OwnedMutexGuard;

use super::{Holder, Tables};
use crate::model::{
    Caller, CallerName, GroupId, Identifier, KeyState, PasswordCredential, PasswordHash,
    Revocation, SealedSigningKey, Session, SessionId, Timestamp, User, UserId, UserState,
};
use crate::ports::{StoreError, UnitOfWork};

/// The only unit of work at its time.
pub(super) struct MemoryUnit {
    tables: Arc<Mutex<Tables>>,
    changed: Tables,
    _turn: OwnedMutexGuard<()>,
}

impl MemoryUnit {
    pub(super) fn new(
        tables: Arc<Mutex<Tables>>,
        changed: Tables,
        turn: OwnedMutexGuard<()>,
    ) -> Self {
        Self {
            tables,
            changed,
            _turn: turn,
        }
    }

    fn revoke(&mut self, id: SessionId, now: Timestamp, needed_for: Duration) -> bool {
        let is_alive = |session: &&mut Session| session.revoked_at.is_none();
        let Some(session) = self.changed.sessions.get_mut(&id).filter(is_alive) else {
            return false;
        };
        session.revoked_at = Some(now);
        let revocation = Revocation {
            session_id: id,
            revoked_at: now,
            expires_at: now.plus(needed_for),
        };
        self.changed.revocations.insert(id, revocation);
        true
    }
}

#[async_trait]
impl UnitOfWork for MemoryUnit {
    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        *self.tables.lock().unwrap_or_else(PoisonError::into_inner) = self.changed;
        Ok(())
    }

    async fn lock_user(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.changed.users.get(&id).cloned())
    }

    async fn lock_user_by_identifier(
        &mut self,
        group: &GroupId,
        identifier: &Identifier,
    ) -> Result<Option<User>, StoreError> {
        let holder = self.changed.holder(group, identifier);
        Ok(holder.and_then(|holder| self.changed.users.get(&holder.user_id).cloned()))
    }

    async fn insert_user(&mut self, user: &User) -> Result<(), StoreError> {
        match self.changed.users.insert(user.id, user.clone()) {
            None => Ok(()),
            Some(_) => Err(StoreError::Conflict),
        }
    }

    async fn activate_user(&mut self, id: UserId, now: Timestamp) -> Result<(), StoreError> {
        if let Some(user) = self.changed.users.get_mut(&id) {
            user.state = UserState::Active;
        }
        for ((_, identifier), holder) in &mut self.changed.identifiers {
            if holder.user_id == id && !matches!(identifier, Identifier::Username(_)) {
                holder.verified_at = Some(now);
            }
        }
        Ok(())
    }

    async fn delete_user(&mut self, id: UserId) -> Result<(), StoreError> {
        self.changed.delete_user(id);
        Ok(())
    }

    async fn insert_identifier(
        &mut self,
        user: &User,
        identifier: &Identifier,
        verified_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let key = (user.group.clone(), identifier.clone());
        if self.changed.identifiers.contains_key(&key) {
            return Err(StoreError::Conflict);
        }
        self.changed.identifiers.insert(
            key,
            Holder {
                user_id: user.id,
                verified_at,
            },
        );
        Ok(())
    }

    async fn lock_credential(
        &mut self,
        user: UserId,
    ) -> Result<Option<PasswordCredential>, StoreError> {
        Ok(self.changed.credentials.get(&user).cloned())
    }

    async fn put_credential(&mut self, credential: &PasswordCredential) -> Result<(), StoreError> {
        self.changed
            .credentials
            .insert(credential.user_id, credential.clone());
        Ok(())
    }

    async fn clear_failures(
        &mut self,
        user: UserId,
        rehashed: Option<&PasswordHash>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if let Some(credential) = self.changed.credentials.get_mut(&user) {
            credential.failures = 0;
            if let Some(hash) = rehashed {
                credential.hash = hash.clone();
                credential.updated_at = now;
            }
        }
        Ok(())
    }

    async fn insert_session(&mut self, session: &Session) -> Result<(), StoreError> {
        match self.changed.sessions.insert(session.id, session.clone()) {
            None => Ok(()),
            Some(_) => Err(StoreError::Conflict),
        }
    }

    async fn revoke_session(
        &mut self,
        id: SessionId,
        now: Timestamp,
        needed_for: Duration,
    ) -> Result<bool, StoreError> {
        Ok(self.revoke(id, now, needed_for))
    }

    async fn revoke_user_sessions(
        &mut self,
        user: UserId,
        keep: Option<SessionId>,
        now: Timestamp,
        needed_for: Duration,
    ) -> Result<Vec<SessionId>, StoreError> {
        let own = self
            .changed
            .sessions
            .values()
            .filter(|session| session.user_id == user && session.is_live(now));
        let mut ended: Vec<_> = own
            .map(|session| session.id)
            .filter(|id| Some(*id) != keep)
            .collect();
        ended.retain(|id| self.revoke(*id, now, needed_for));
        Ok(ended)
    }

    async fn insert_signing_key(&mut self, key: &SealedSigningKey) -> Result<(), StoreError> {
        let exists_once =
            |other: &SealedSigningKey| other.state == key.state && key.state != KeyState::Retired;
        let keys = &mut self.changed.signing_keys;
        if keys.contains_key(&key.kid) || keys.values().any(exists_once) {
            return Err(StoreError::Conflict);
        }
        keys.insert(key.kid.clone(), key.clone());
        Ok(())
    }

    async fn move_signing_key(
        &mut self,
        kid: &str,
        from: KeyState,
        to: KeyState,
        expires_at: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let Some(key) = self
            .changed
            .signing_keys
            .get_mut(kid)
            .filter(|key| key.state == from)
        else {
            return Ok(false);
        };
        key.state = to;
        key.expires_at = expires_at;
        Ok(true)
    }

    async fn delete_signing_key(&mut self, kid: &str) -> Result<bool, StoreError> {
        Ok(self.changed.signing_keys.remove(kid).is_some())
    }

    async fn insert_caller(&mut self, caller: &Caller) -> Result<(), StoreError> {
        match self
            .changed
            .callers
            .insert(caller.name.as_str().to_owned(), caller.clone())
        {
            None => Ok(()),
            Some(_) => Err(StoreError::Conflict),
        }
    }

    async fn delete_caller(&mut self, name: &CallerName) -> Result<bool, StoreError> {
        Ok(self.changed.callers.remove(name.as_str()).is_some())
    }
}
