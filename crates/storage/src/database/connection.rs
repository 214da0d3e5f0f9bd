//! Running one statement: on the pool or inside a unit of work, within its
//! time, with the driver's errors translated.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use countersign_domain::ports::StoreError;
use sea_orm::sea_query::SelectStatement;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseExecutor, DbErr, Statement, StatementBuilder,
};

use super::error::{store_error, unavailable};
use super::line::Line;
use super::lost_connections::LostConnections;
use super::row::Row;

/// How long a statement may take, and where a lost connection is noted.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    pub(super) statement_timeout: Duration,
    pub(super) lost: Arc<LostConnections>,
}

/// Where statements are run.
pub(super) struct Connection<'c> {
    executor: DatabaseExecutor<'c>,
    line: Option<&'c Line>,
    watch: &'c Watch,
}

impl Watch {
    /// Carries `work` out within the time of a statement. Work that is given
    /// up, by this or by a caller that waits no longer, counts as a loss: the
    /// pool must not wait for ever for its connection.
    pub(super) async fn over<T>(
        &self,
        work: impl Future<Output = Result<T, DbErr>>,
    ) -> Result<T, StoreError> {
        let mut work = pin!(work);
        // Declared after the work, so that it is dropped before it.
        let mut unfinished = Unfinished(Some(&self.lost));
        let result = match tokio::time::timeout(self.statement_timeout, work.as_mut()).await {
            Ok(result) => result.map_err(|error| store_error(&error)),
            Err(_) => Err(unavailable("it did not answer in time")),
        };
        if !matches!(result, Err(StoreError::Unavailable(_))) {
            unfinished.0 = None;
        }
        result
    }
}

/// Notes a loss when dropped, unless told otherwise.
struct Unfinished<'w>(Option<&'w LostConnections>);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if let Some(lost) = self.0 {
            lost.mark();
        }
    }
}

impl<'c> Connection<'c> {
    pub(super) fn new(executor: impl Into<DatabaseExecutor<'c>>, watch: &'c Watch) -> Self {
        Self {
            executor: executor.into(),
            line: None,
            watch,
        }
    }

    /// As [`new`](Self::new), but rows are read over the line, if there is one.
    pub(super) fn over_line(
        pool: &'c DatabaseConnection,
        line: Option<&'c Line>,
        watch: &'c Watch,
    ) -> Self {
        Self {
            line,
            ..Self::new(pool, watch)
        }
    }

    /// Runs a statement that changes rows, and tells how many it found.
    pub(super) async fn execute(
        &self,
        statement: &impl StatementBuilder,
    ) -> Result<u64, StoreError> {
        let statement = self.executor.get_database_backend().build(statement);
        let done = self
            .watch
            .over(self.executor.execute_raw(statement))
            .await?;
        Ok(done.rows_affected())
    }

    /// The first row.
    pub(super) async fn first(&self, select: &SelectStatement) -> Result<Option<Row>, StoreError> {
        let statement = self.executor.get_database_backend().build(select);
        let row = self
            .watch
            .over(self.executor.query_one_raw(statement))
            .await?;
        Ok(row.map(Row::new))
    }

    /// All rows, each read by `read`.
    pub(super) async fn all<T>(
        &self,
        select: &SelectStatement,
        read: impl Fn(&mut Row) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let statement = self.executor.get_database_backend().build(select);
        self.all_of(statement, read).await
    }

    /// All rows of any statement, each read by `read`.
    pub(super) async fn all_of<T>(
        &self,
        statement: Statement,
        read: impl Fn(&mut Row) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let rows = match self.line {
            Some(line) => line.all(&statement, self.watch).await?,
            None => {
                let rows = self.executor.query_all_raw(statement);
                self.watch.over(rows).await?
            }
        };
        rows.into_iter()
            .map(|result| read(&mut Row::new(result)))
            .collect()
    }
}
