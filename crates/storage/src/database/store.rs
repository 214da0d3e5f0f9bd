//! The store: reads, and changes of one statement. The two on the path of every
//! refresh are carried out in batches.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use countersign_domain::model::{
    Address, Caller, GroupId, Identifier, PageSize, PageToken, Revocation, Rotation,
    SealedSigningKey, Session, SessionId, Timestamp, User, UserId,
};
use countersign_domain::ports::{Account, Horizon, Store, StoreError, UnitOfWork};

use super::batches::Batcher;
use super::connection::{Connection, Watch};
use super::line::Line;
use super::lost_connections::LostConnections;
use super::migrations;
use super::pools::{self, Pools};
use super::settings::{ConnectError, DatabaseSettings};
use super::unit_of_work::SqlUnitOfWork;
use super::{
    callers, cleaning, credentials, identifiers, revocations, rotations, sessions, signing_keys,
    users,
};

/// How long closing waits for the calls in progress.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// A [`Store`] in a SQL database.
pub struct Database {
    pools: Pools,
    watch: Watch,
    sessions: Batcher<SessionId, Option<(Session, User)>>,
    rotations: Batcher<(SessionId, Rotation), bool>,
}

impl Database {
    /// Opens the database of the settings. Its work goes on in the runtime in
    /// which it was opened.
    ///
    /// # Errors
    /// If the URL cannot be read, or the database does not answer.
    pub async fn connect(settings: &DatabaseSettings) -> Result<Self, ConnectError> {
        let lost = Arc::new(LostConnections::new());
        let pools = pools::open(settings, &lost).await?;
        let watch = Watch {
            statement_timeout: settings.statement_timeout,
            lost,
        };
        let (pool, its_watch) = (pools.reader.clone(), watch.clone());
        let line = Arc::new(Line::on(&pool));
        let sessions = Batcher::new(settings.statement_timeout, move |batch| {
            sessions::carry_out(pool.clone(), Arc::clone(&line), its_watch.clone(), batch)
        });
        let (pool, its_watch) = (pools.writer.clone(), watch.clone());
        let line = Arc::new(Line::on(&pool));
        let rotations = Batcher::new(settings.statement_timeout, move |batch| {
            rotations::carry_out(pool.clone(), Arc::clone(&line), its_watch.clone(), batch)
        });
        Ok(Self {
            pools,
            watch,
            sessions,
            rotations,
        })
    }

    /// Brings the tables up to date. Of several servers that start at once, one
    /// does it and the others wait.
    ///
    /// # Errors
    /// If the database fails, or was migrated by a newer version.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        migrations::migrate(&self.pools.writer).await
    }

    /// The migrations that have not been run yet.
    ///
    /// # Errors
    /// If the database fails, or was migrated by a newer version.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, StoreError> {
        migrations::pending(&self.pools.reader).await
    }

    /// Closes all connections, after the calls in progress.
    pub async fn close(&self) {
        let close = async {
            self.pools.reader.close_by_ref().await.ok();
            self.pools.writer.close_by_ref().await.ok();
        };
        // A server that is gone does not say goodbye.
        tokio::time::timeout(CLOSE_TIMEOUT, close).await.ok();
    }

    fn reader(&self) -> Connection<'_> {
        Connection::new(&self.pools.reader, &self.watch)
    }

    fn writer(&self) -> Connection<'_> {
        Connection::new(&self.pools.writer, &self.watch)
    }
}

#[async_trait]
impl Store for Database {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        let unit = SqlUnitOfWork::begin(&self.pools.writer, &self.watch).await?;
        Ok(Box::new(unit))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.watch.over(self.pools.reader.ping()).await
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        users::user(&self.reader(), id).await
    }

    async fn account(&self, id: UserId) -> Result<Option<Account>, StoreError> {
        users::account(&self.reader(), id).await
    }

    async fn account_by_identifier(
        &self,
        group: &GroupId,
        identifier: &Identifier,
    ) -> Result<Option<Account>, StoreError> {
        users::account_by_identifier(&self.reader(), group, identifier).await
    }

    async fn user_by_verified_address(
        &self,
        group: &GroupId,
        address: &Address,
    ) -> Result<Option<User>, StoreError> {
        users::user_by_verified_address(&self.reader(), group, address).await
    }

    async fn verified_addresses(&self, id: UserId) -> Result<Vec<Address>, StoreError> {
        identifiers::verified_addresses(&self.reader(), id).await
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        sessions::session(&self.reader(), id).await
    }

    async fn session_with_user(
        &self,
        id: SessionId,
    ) -> Result<Option<(Session, User)>, StoreError> {
        self.sessions.ask(id).await
    }

    async fn live_sessions(
        &self,
        user: UserId,
        now: Timestamp,
        size: PageSize,
        after: Option<PageToken>,
    ) -> Result<Vec<Session>, StoreError> {
        sessions::live(&self.reader(), user, now, size, after).await
    }

    async fn revocations(
        &self,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Revocation>, StoreError> {
        revocations::since(&self.reader(), since, now).await
    }

    async fn signing_keys(&self) -> Result<Vec<SealedSigningKey>, StoreError> {
        signing_keys::all(&self.reader()).await
    }

    async fn callers(&self) -> Result<Vec<Caller>, StoreError> {
        callers::all(&self.reader()).await
    }

    async fn count_attempt(&self, user: UserId, cap: u32) -> Result<bool, StoreError> {
        credentials::count_attempt(&self.writer(), user, cap).await
    }

    async fn rotate(&self, session: SessionId, rotation: Rotation) -> Result<bool, StoreError> {
        self.rotations.ask((session, rotation)).await
    }

    async fn delete_expired(&self, horizon: Horizon, limit: u32) -> Result<u64, StoreError> {
        cleaning::delete_expired(&self.writer(), horizon, limit).await
    }
}
