//! The store of the domain's own tests: everything in memory, one unit of work
//! at a time, under a clock that tests turn.
//!
//! Each aggregate has a file, named as the port that it implements.

mod audit_events;
mod audit_log;
mod callers;
mod credentials;
mod devices;
mod factors;
mod faults;
mod federated_identities;
mod groups;
mod identifier_undos;
mod many_users;
mod outbox;
mod revocations;
mod service_accounts;
mod sessions;
mod signing_keys;
mod tables;
mod tombstones;
mod unit_of_work;
mod user_list;
mod users;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use self::audit_events::AuditEvents;
use self::faults::Faults;
use self::tables::Tables;
use self::unit_of_work::MemoryUnitOfWork;
use super::HandClock;
use crate::model::{Timestamp, User};
use crate::ports::{Clock as _, Retention, Store, StoreError, UnitOfWork};

/// A [`Store`] that forgets everything when it is dropped.
#[derive(Debug)]
pub struct MemoryStore {
    tables: Arc<Mutex<Tables>>,
    audit_events: Arc<AuditEvents>,
    /// Held by whoever writes.
    writer: Arc<tokio::sync::Mutex<()>>,
    /// The database's clock.
    clock: Arc<HandClock>,
    faults: Arc<Faults>,
}

impl MemoryStore {
    /// An empty store whose time is the clock's.
    #[must_use]
    pub fn new(clock: Arc<HandClock>) -> Self {
        Self {
            tables: Arc::default(),
            audit_events: Arc::default(),
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

impl MemoryStore {
    /// From now on the revocation feed cannot be read, or can be again.
    pub fn fail_feed(&self, fail: bool) {
        self.faults.feed_fails.store(fail, Ordering::SeqCst);
    }

    /// From now on so much time passes while the revocation feed is read.
    pub fn slow_feed(&self, takes: Duration) {
        faults::set(&self.faults.feed_takes, takes);
    }

    /// From now on so much time passes while the time is read: half of it
    /// before, half after.
    pub fn slow_time(&self, takes: Duration) {
        faults::set(&self.faults.time_takes, takes);
    }

    /// From now on no unit of work can be begun, or each can be again.
    pub fn fail_begins(&self, fail: bool) {
        self.faults.begins_fail.store(fail, Ordering::SeqCst);
    }

    /// From now on no unit of work can be committed, or each can be again.
    pub fn fail_commits(&self, fail: bool) {
        self.faults.commits_fail.store(fail, Ordering::SeqCst);
    }

    /// From now on messages are queued and nobody hears of it, or is told again.
    pub fn lose_answers(&self, lose: bool) {
        self.faults.answers_lost.store(lose, Ordering::SeqCst);
    }

    /// How many accounts were looked for by an identifier since this was asked
    /// last.
    pub fn take_accounts_read(&self) -> u32 {
        self.faults.accounts_read.swap(0, Ordering::SeqCst)
    }

    /// The next `commits` lose a race.
    pub fn conflict(&self, commits: u32) {
        self.faults.conflicts.store(commits, Ordering::SeqCst);
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        self.faults.begin()?;
        let writer = Arc::clone(&self.writer).lock_owned().await;
        Ok(Box::new(MemoryUnitOfWork {
            committed: Arc::clone(&self.tables),
            audit_events: Arc::clone(&self.audit_events),
            written: Vec::new(),
            erased: Vec::new(),
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
        let audit_events = Arc::clone(&self.audit_events);
        self.write(|tables| {
            let deleted = tables.delete_ended_sessions(retention, limit)
                + tables.delete_expired_revocations(retention, limit)
                + tables.delete_expired_keys(retention, limit)
                + tables.delete_expired_messages(retention, limit)
                + tables.delete_expired_devices(retention, limit)
                + tables.delete_expired_undos(retention, limit)
                + tables.delete_expired_tombstones(retention, limit)
                + audit_events.delete_before(retention.audit_before, limit);
            deleted as u64
        })
        .await
    }
}
