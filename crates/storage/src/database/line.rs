//! A connection to PostgreSQL that is kept between batches. The pool would test
//! and hand it over each time: two more round trips on the path of a refresh.

use std::sync::Arc;

use countersign_domain::ports::StoreError;
use sea_orm::{DatabaseConnection, DbBackend, DbErr, QueryResult, RuntimeErr, Statement};
use sea_query_sqlx::SqlxValues;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgPool, Postgres};
use tokio::sync::Mutex;

use super::connection::Watch;

/// The connection of those who come one after another.
pub(super) struct Line {
    pool: PgPool,
    kept: Mutex<Option<PoolConnection<Postgres>>>,
}

impl Line {
    /// A line on the pool, if it is one of PostgreSQL.
    pub(super) fn on(pool: &DatabaseConnection) -> Option<Self> {
        (pool.get_database_backend() == DbBackend::Postgres).then(|| Self {
            pool: pool.get_postgres_connection_pool().clone(),
            kept: Mutex::new(None),
        })
    }

    /// All rows of a statement that may be carried out twice: a connection that
    /// was lost while it was kept is replaced, and the statement sent again.
    ///
    /// # Errors
    /// If the database does not answer on a new connection either.
    pub(super) async fn all(
        &self,
        statement: &Statement,
        watch: &Watch,
    ) -> Result<Vec<QueryResult>, StoreError> {
        let mut kept = self.kept.lock().await;
        if let Some(connection) = kept.take() {
            match run(connection, statement, watch).await {
                (Err(StoreError::Unavailable(_)), _) => {}
                (outcome, connection) => {
                    *kept = connection;
                    return outcome;
                }
            }
        }
        let connection = watch
            .over(async { self.pool.acquire().await.map_err(failed) })
            .await?;
        let (outcome, connection) = run(connection, statement, watch).await;
        *kept = connection;
        outcome
    }
}

/// Runs a statement, and returns the connection if it is still good.
async fn run(
    mut connection: PoolConnection<Postgres>,
    statement: &Statement,
    watch: &Watch,
) -> (
    Result<Vec<QueryResult>, StoreError>,
    Option<PoolConnection<Postgres>>,
) {
    let values = statement
        .values
        .clone()
        .unwrap_or(sea_orm::Values(Vec::new()));
    let query = sqlx::query_with(
        sqlx::AssertSqlSafe(statement.sql.as_str()),
        SqlxValues(values),
    );
    let rows = watch
        .over(async { query.fetch_all(&mut *connection).await.map_err(failed) })
        .await;
    match rows {
        Ok(rows) => (
            Ok(rows.into_iter().map(QueryResult::from).collect()),
            Some(connection),
        ),
        Err(error @ StoreError::Unavailable(_)) => (Err(error), None),
        Err(error) => (Err(error), Some(connection)),
    }
}

fn failed(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}
