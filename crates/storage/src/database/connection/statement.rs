//! Where statements run: on any connection of a pool, in a transaction, or on a
//! pinned connection. Each has a name, which its span carries; values never
//! leave in one.

use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement};
use tokio::sync::Mutex;
use tracing::{Instrument as _, Span, debug_span};

use super::pinned::PinnedConnection;
use super::pool::{ConnectionPool, Lease};
use crate::database::dialect::Dialect;
use crate::database::error::no_answer;

/// Where statements run.
#[derive(Clone, Copy)]
pub(in crate::database) struct Db<'c>(Place<'c>);

#[derive(Clone, Copy)]
enum Place<'c> {
    Pool(&'c ConnectionPool),
    Transaction(&'c Mutex<Lease>, &'static Dialect),
    Pinned {
        connection: &'c PinnedConnection,
        is_repeatable: bool,
    },
}

/// Runs one statement under its name.
pub(in crate::database) struct NamedStatement<'c> {
    place: Place<'c>,
    name: &'static str,
}

impl<'c> Db<'c> {
    /// On any connection of the pool.
    pub(in crate::database) fn pool(pool: &'c ConnectionPool) -> Self {
        Self(Place::Pool(pool))
    }

    /// In the transaction of a connection.
    pub(in crate::database) fn transaction(
        connection: &'c Mutex<Lease>,
        dialect: &'static Dialect,
    ) -> Self {
        Self(Place::Transaction(connection, dialect))
    }

    /// On a pinned connection, for reads that may be sent twice.
    pub(in crate::database) fn pinned_reads(connection: &'c PinnedConnection) -> Self {
        Self(Place::Pinned {
            connection,
            is_repeatable: true,
        })
    }

    /// On a pinned connection, for changes whose statement returns rows.
    pub(in crate::database) fn pinned_changes(connection: &'c PinnedConnection) -> Self {
        Self(Place::Pinned {
            connection,
            is_repeatable: false,
        })
    }

    pub(in crate::database) fn dialect(&self) -> &'static Dialect {
        match self.0 {
            Place::Pool(pool) => pool.dialect(),
            Place::Transaction(_, dialect) => dialect,
            Place::Pinned { connection, .. } => connection.dialect(),
        }
    }

    /// A statement with a name such as `users.by_identifier`.
    pub(in crate::database) fn statement(&self, name: &'static str) -> NamedStatement<'c> {
        NamedStatement {
            place: self.0,
            name,
        }
    }
}

impl NamedStatement<'_> {
    fn span(&self) -> Span {
        debug_span!("sql", statement = self.name)
    }

    async fn run_execute(&self, statement: &Statement) -> Result<ExecResult, DbErr> {
        match self.place {
            Place::Pool(pool) => pool.get().await?.execute(statement).await,
            Place::Transaction(lease, _) => lease.lock().await.execute(statement).await,
            Place::Pinned { .. } => Err(no_answer("a pinned connection returns rows")),
        }
    }

    async fn run_rows(&self, statement: &Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self.place {
            Place::Pool(pool) => pool.get().await?.rows(statement).await,
            Place::Transaction(lease, _) => lease.lock().await.rows(statement).await,
            Place::Pinned {
                connection,
                is_repeatable,
            } => connection.rows(statement, is_repeatable).await,
        }
    }

    async fn run_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        match self.place {
            Place::Pool(pool) => pool.get().await?.run(sql).await,
            Place::Transaction(lease, _) => lease.lock().await.run(sql).await,
            Place::Pinned { .. } => Err(no_answer("a pinned connection returns rows")),
        }
    }
}

#[async_trait]
impl ConnectionTrait for NamedStatement<'_> {
    fn get_database_backend(&self) -> DbBackend {
        Db(self.place).dialect().backend
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.run_execute(&statement).instrument(self.span()).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.run_unprepared(sql).instrument(self.span()).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let rows = self.query_all_raw(statement).await?;
        Ok(rows.into_iter().next())
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.run_rows(&statement).instrument(self.span()).await
    }
}
