//! The store of the domain's own tests: everything in memory, one unit of work
//! at a time, under a clock that tests turn.
//!
//! Each aggregate has a file, named as the port that it implements.

mod callers;
mod credentials;
mod faults;
mod outbox;
mod revocations;
mod sessions;
mod signing_keys;
mod unit_of_work;
mod users;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use self::faults::Faults;
use self::outbox::QueuedRow;
use self::unit_of_work::MemoryUnitOfWork;
use super::HandClock;
use crate::model::{
    Caller, CallerName, GroupId, Identifier, MessageId, PasswordCredential, Revocation,
    SealedSigningKey, Session, SessionId, Timestamp, User, UserId,
};
use crate::ports::{Clock as _, Retention, Store, StoreError, UnitOfWork};

/// A [`Store`] that forgets everything when it is dropped.
#[derive(Debug)]
pub struct MemoryStore {
    tables: Arc<Mutex<Tables>>,
    /// Held by whoever writes.
    writer: Arc<tokio::sync::Mutex<()>>,
    /// The database's clock.
    clock: Arc<HandClock>,
    faults: Arc<Faults>,
}

/// What has been committed, or the copy on which a unit of work works.
#[derive(Clone, Debug, Default)]
struct Tables {
    users: BTreeMap<UserId, User>,
    identifiers: BTreeMap<(GroupId, Identifier), UserId>,
    credentials: BTreeMap<UserId, PasswordCredential>,
    sessions: BTreeMap<SessionId, Session>,
    revocations: BTreeMap<SessionId, Revocation>,
    signing_keys: BTreeMap<String, SealedSigningKey>,
    callers: BTreeMap<CallerName, Caller>,
    outbox: BTreeMap<MessageId, QueuedRow>,
}

impl MemoryStore {
    /// An empty store whose time is the clock's.
    #[must_use]
    pub fn new(clock: Arc<HandClock>) -> Self {
        Self {
            tables: Arc::default(),
            writer: Arc::default(),
            clock,
            faults: Arc::default(),
        }
    }

    /// Puts a user in the place of the one with its id, as an operator would.
    pub fn replace_user(&self, user: User) {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.users.insert(user.id, user);
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

#[async_trait]
impl Store for MemoryStore {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        self.faults.begin()?;
        let writer = Arc::clone(&self.writer).lock_owned().await;
        Ok(Box::new(MemoryUnitOfWork {
            committed: Arc::clone(&self.tables),
            tables: self.read(Tables::clone)?,
            clock: Arc::clone(&self.clock),
            faults: Arc::clone(&self.faults),
            begun_at: self.clock.monotonic(),
            _writer: writer,
        }))
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        let half = self.faults.time() / 2;
        self.clock.advance(half);
        let now = self.clock.now();
        self.clock.advance(half);
        Ok(now)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn delete_expired(&self, retention: Retention, limit: u32) -> Result<u64, StoreError> {
        let limit = limit as usize;
        self.write(|tables| {
            let deleted = tables.delete_ended_sessions(retention, limit)
                + tables.delete_expired_revocations(retention, limit)
                + tables.delete_expired_keys(retention, limit)
                + tables.delete_expired_messages(retention, limit);
            deleted as u64
        })
        .await
    }
}

/// Adds a row whose key must be free.
fn insert<K: Ord, V>(table: &mut BTreeMap<K, V>, key: K, row: V) -> Result<(), StoreError> {
    if table.contains_key(&key) {
        return Err(StoreError::Taken);
    }
    table.insert(key, row);
    Ok(())
}

/// Deletes at most `limit` of the rows that are over, and tells how many.
fn delete_over<K: Clone + Ord, V>(
    table: &mut BTreeMap<K, V>,
    limit: usize,
    is_over: impl Fn(&V) -> bool,
) -> usize {
    let over = table.iter().filter(|(_, row)| is_over(row));
    let keys: Vec<K> = over.map(|(key, _)| key.clone()).take(limit).collect();
    for key in &keys {
        table.remove(key);
    }
    keys.len()
}
