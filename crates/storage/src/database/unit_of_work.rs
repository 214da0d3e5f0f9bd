//! A unit of work: one transaction.

use std::time::Duration;

use async_trait::async_trait;
use countersign_domain::model::{
    Caller, CallerName, GroupId, Identifier, KeyState, PasswordCredential, PasswordHash,
    SealedSigningKey, Session, SessionId, Timestamp, User, UserId,
};
use countersign_domain::ports::{StoreError, UnitOfWork};
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait as _,
};

use super::connection::{Connection, Watch};
use super::{callers, credentials, identifiers, sessions, signing_keys, users};

/// A transaction that is rolled back when it is dropped.
pub(super) struct SqlUnitOfWork {
    transaction: DatabaseTransaction,
    watch: Watch,
}

impl SqlUnitOfWork {
    /// Begins a transaction; on SQLite one that may write from the start, so
    /// that it never finds itself outdated.
    pub(super) async fn begin(
        pool: &DatabaseConnection,
        watch: &Watch,
    ) -> Result<Self, StoreError> {
        let transaction = watch.over(begin(pool.clone())).await?;
        Ok(Self {
            transaction,
            watch: watch.clone(),
        })
    }

    /// Where its statements run.
    pub(super) fn db(&self) -> Connection<'_> {
        Connection::new(&self.transaction, &self.watch)
    }
}

/// Begins in a task of its own: sqlx's drivers for PostgreSQL and MySQL forget
/// a BEGIN whose future is dropped before the reply, and the pool would hand
/// out a connection on which everything seems to be written and nothing is.
async fn begin(pool: DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..Default::default()
    };
    tokio::spawn(async move { pool.begin_with_options(options).await })
        .await
        .map_err(|_| DbErr::Custom("the runtime is shutting down".into()))?
}

#[async_trait]
impl UnitOfWork for SqlUnitOfWork {
    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.watch.over(self.transaction.commit()).await
    }

    async fn lock_user(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        users::lock(&self.db(), id).await
    }

    async fn lock_user_by_identifier(
        &mut self,
        group: &GroupId,
        identifier: &Identifier,
    ) -> Result<Option<User>, StoreError> {
        users::lock_by_identifier(&self.db(), group, identifier).await
    }

    async fn insert_user(&mut self, user: &User) -> Result<(), StoreError> {
        users::insert(&self.db(), user).await
    }

    async fn activate_user(&mut self, id: UserId, now: Timestamp) -> Result<(), StoreError> {
        users::activate(&self.db(), id, now).await
    }

    async fn delete_user(&mut self, id: UserId) -> Result<(), StoreError> {
        users::delete(&self.db(), id).await
    }

    async fn insert_identifier(
        &mut self,
        user: &User,
        identifier: &Identifier,
        verified_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        identifiers::insert(&self.db(), user, identifier, verified_at).await
    }

    async fn lock_credential(
        &mut self,
        user: UserId,
    ) -> Result<Option<PasswordCredential>, StoreError> {
        credentials::lock(&self.db(), user).await
    }

    async fn put_credential(&mut self, credential: &PasswordCredential) -> Result<(), StoreError> {
        credentials::put(&self.db(), credential).await
    }

    async fn clear_failures(
        &mut self,
        user: UserId,
        rehashed: Option<&PasswordHash>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        credentials::clear_failures(&self.db(), user, rehashed, now).await
    }

    async fn insert_session(&mut self, session: &Session) -> Result<(), StoreError> {
        sessions::insert(&self.db(), session).await
    }

    async fn revoke_session(
        &mut self,
        id: SessionId,
        now: Timestamp,
        needed_for: Duration,
    ) -> Result<bool, StoreError> {
        sessions::revoke(&self.db(), id, now, needed_for).await
    }

    async fn revoke_user_sessions(
        &mut self,
        user: UserId,
        keep: Option<SessionId>,
        now: Timestamp,
        needed_for: Duration,
    ) -> Result<Vec<SessionId>, StoreError> {
        sessions::revoke_all(&self.db(), user, keep, now, needed_for).await
    }

    async fn insert_signing_key(&mut self, key: &SealedSigningKey) -> Result<(), StoreError> {
        signing_keys::insert(&self.db(), key).await
    }

    async fn move_signing_key(
        &mut self,
        kid: &str,
        from: KeyState,
        to: KeyState,
        expires_at: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        signing_keys::shift(&self.db(), kid, from, to, expires_at).await
    }

    async fn delete_signing_key(&mut self, kid: &str) -> Result<bool, StoreError> {
        signing_keys::delete(&self.db(), kid).await
    }

    async fn insert_caller(&mut self, caller: &Caller) -> Result<(), StoreError> {
        callers::insert(&self.db(), caller).await
    }

    async fn delete_caller(&mut self, name: &CallerName) -> Result<bool, StoreError> {
        callers::delete(&self.db(), name).await
    }
}
