//! The store of the domain's own tests: everything in memory, one unit of work
//! at a time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::OwnedMutexGuard;

use crate::model::{
    Address, Caller, CallerName, GroupId, Identifier, KeyState, PageSize, PageToken,
    PasswordCredential, PasswordHash, Revocation, Rotation, SealedSigningKey, Session, SessionId,
    Timestamp, User, UserId, UserState,
};
use crate::ports::{Account, Horizon, Store, StoreError, UnitOfWork};

/// A [`Store`] that forgets everything when it is dropped.
#[derive(Debug, Default)]
pub struct MemoryStore {
    tables: Arc<Mutex<Tables>>,
    /// Held by whoever writes.
    writer: Arc<tokio::sync::Mutex<()>>,
}

/// What has been committed, or the copy on which a unit of work works.
#[derive(Clone, Debug, Default)]
struct Tables {
    users: BTreeMap<UserId, User>,
    identifiers: BTreeMap<(GroupId, Identifier), Holder>,
    credentials: BTreeMap<UserId, PasswordCredential>,
    sessions: BTreeMap<SessionId, Session>,
    revocations: BTreeMap<SessionId, Revocation>,
    signing_keys: BTreeMap<String, SealedSigningKey>,
    callers: BTreeMap<CallerName, Caller>,
}

#[derive(Clone, Copy, Debug)]
struct Holder {
    user: UserId,
    verified_at: Option<Timestamp>,
}

struct MemoryUnitOfWork {
    committed: Arc<Mutex<Tables>>,
    tables: Tables,
    _writer: OwnedMutexGuard<()>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn read<T>(&self, read: impl FnOnce(&Tables) -> T) -> Result<T, StoreError> {
        let tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(read(&tables))
    }

    async fn write<T: Send>(
        &self,
        write: impl FnOnce(&mut Tables) -> T + Send,
    ) -> Result<T, StoreError> {
        let _writer = self.writer.lock().await;
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(write(&mut tables))
    }
}

impl Tables {
    fn account(&self, id: UserId) -> Option<Account> {
        Some(Account {
            user: self.users.get(&id)?.clone(),
            credential: self.credentials.get(&id).cloned(),
        })
    }

    fn holder(&self, group: &GroupId, identifier: &Identifier) -> Option<Holder> {
        let key = (group.clone(), identifier.clone());
        self.identifiers.get(&key).copied()
    }

    fn delete_user(&mut self, id: UserId) {
        self.users.remove(&id);
        self.identifiers.retain(|_, holder| holder.user != id);
        self.credentials.remove(&id);
        self.sessions.retain(|_, session| session.user_id != id);
    }

    fn revoke(&mut self, id: SessionId, now: Timestamp, needed_for: Duration) -> bool {
        let Some(session) = self.sessions.get_mut(&id).filter(|s| s.is_live(now)) else {
            return false;
        };
        session.revoked_at = Some(now);
        let revocation = Revocation {
            session_id: id,
            revoked_at: now,
            expires_at: now.plus(needed_for),
        };
        self.revocations.insert(id, revocation);
        true
    }

    fn has_key_of(&self, state: KeyState) -> bool {
        state != KeyState::Retired && self.signing_keys.values().any(|key| key.state == state)
    }

    fn delete_expired(&mut self, horizon: Horizon, limit: usize) -> usize {
        let ended = horizon.sessions_before;
        let sessions = take_keys(&self.sessions, limit, |session| {
            session.expires_at < ended || session.revoked_at.is_some_and(|at| at < ended)
        });
        let users = take_keys(&self.users, limit, |user| {
            user.state == UserState::Pending && user.created_at < horizon.pending_before
        });
        let revocations = take_keys(&self.revocations, limit, |revocation| {
            revocation.expires_at < horizon.now
        });
        let keys = take_keys(&self.signing_keys, limit, |key| {
            key.state == KeyState::Retired && key.expires_at.is_some_and(|at| at < horizon.now)
        });
        for id in &sessions {
            self.sessions.remove(id);
        }
        for id in &users {
            self.delete_user(*id);
        }
        for id in &revocations {
            self.revocations.remove(id);
        }
        for kid in &keys {
            self.signing_keys.remove(kid);
        }
        sessions.len() + users.len() + revocations.len() + keys.len()
    }
}

fn take_keys<K: Clone, V>(
    table: &BTreeMap<K, V>,
    limit: usize,
    is_over: impl Fn(&V) -> bool,
) -> Vec<K> {
    let over = table.iter().filter(|(_, row)| is_over(row));
    over.map(|(key, _)| key.clone()).take(limit).collect()
}

/// Adds a row whose key must be free.
fn insert<K: Ord, V>(table: &mut BTreeMap<K, V>, key: K, row: V) -> Result<(), StoreError> {
    if table.contains_key(&key) {
        return Err(StoreError::Conflict);
    }
    table.insert(key, row);
    Ok(())
}

#[async_trait]
impl Store for MemoryStore {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        let writer = Arc::clone(&self.writer).lock_owned().await;
        Ok(Box::new(MemoryUnitOfWork {
            committed: Arc::clone(&self.tables),
            tables: self.read(Tables::clone)?,
            _writer: writer,
        }))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }

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
        self.read(|tables| {
            let holder = tables.holder(group, identifier)?;
            tables.account(holder.user)
        })
    }

    async fn user_by_verified_address(
        &self,
        group: &GroupId,
        address: &Address,
    ) -> Result<Option<User>, StoreError> {
        self.read(|tables| {
            let holder = tables.holder(group, &address.clone().into())?;
            holder.verified_at?;
            tables.users.get(&holder.user).cloned()
        })
    }

    async fn verified_addresses(&self, id: UserId) -> Result<Vec<Address>, StoreError> {
        self.read(|tables| {
            let of_user = tables
                .identifiers
                .iter()
                .filter(|(_, holder)| holder.user == id && holder.verified_at.is_some());
            of_user
                .filter_map(|((_, identifier), _)| match identifier {
                    Identifier::Email(email) => Some(Address::Email(email.clone())),
                    Identifier::Phone(phone) => Some(Address::Phone(phone.clone())),
                    Identifier::Username(_) => None,
                })
                .collect()
        })
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.read(|tables| tables.sessions.get(&id).cloned())
    }

    async fn session_with_user(
        &self,
        id: SessionId,
    ) -> Result<Option<(Session, User)>, StoreError> {
        self.read(|tables| {
            let session = tables.sessions.get(&id)?.clone();
            let user = tables.users.get(&session.user_id)?.clone();
            Some((session, user))
        })
    }

    async fn live_sessions(
        &self,
        user: UserId,
        now: Timestamp,
        size: PageSize,
        after: Option<PageToken>,
    ) -> Result<Vec<Session>, StoreError> {
        self.read(|tables| {
            let newest_first = tables.sessions.values().rev();
            newest_first
                .filter(|session| session.user_id == user && session.is_live(now))
                .filter(|session| after.is_none_or(|PageToken(id)| session.id < id))
                .take(size.get() as usize + 1)
                .cloned()
                .collect()
        })
    }

    async fn revocations(
        &self,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Revocation>, StoreError> {
        self.read(|tables| {
            let needed = tables.revocations.values().copied();
            needed
                .filter(|entry| entry.revoked_at >= since && entry.expires_at > now)
                .collect()
        })
    }

    async fn signing_keys(&self) -> Result<Vec<SealedSigningKey>, StoreError> {
        self.read(|tables| tables.signing_keys.values().cloned().collect())
    }

    async fn callers(&self) -> Result<Vec<Caller>, StoreError> {
        self.read(|tables| tables.callers.values().cloned().collect())
    }

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

    async fn rotate(&self, session: SessionId, rotation: Rotation) -> Result<bool, StoreError> {
        self.write(|tables| match tables.sessions.get_mut(&session) {
            Some(row) if row.generation == rotation.from && row.revoked_at.is_none() => {
                *row = row.clone().rotated(rotation);
                true
            }
            _ => false,
        })
        .await
    }

    async fn delete_expired(&self, horizon: Horizon, limit: u32) -> Result<u64, StoreError> {
        self.write(|tables| tables.delete_expired(horizon, limit as usize) as u64)
            .await
    }
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
            return Err(StoreError::Conflict);
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
            return Err(StoreError::Conflict);
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
