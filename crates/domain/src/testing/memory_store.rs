//! The store of the domain's own tests: everything in memory, one unit of work
//! at a time.

mod unit_of_work;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use self::unit_of_work::MemoryUnitOfWork;
use crate::model::{
    Address, Caller, CallerName, GroupId, Identifier, KeyState, PageSize, PageToken,
    PasswordCredential, Revocation, Rotation, SealedSigningKey, Session, SessionId, Timestamp,
    User, UserId, UserState,
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
