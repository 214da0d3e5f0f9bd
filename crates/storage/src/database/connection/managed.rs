//! A connection and what is known about it: whether a statement is unfinished,
//! a transaction open, the connection broken. Each statement has a time limit.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{DbErr, ExecResult, QueryResult, RuntimeErr, Statement};
use sqlx::Error;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use super::driver::Driver;
use super::lost_connections::{LostConnections, Trust};
use super::watched_file::WatchedFile;
use crate::database::dialect::{Dialect, Meaning};
use crate::database::endpoint::Endpoint;
use crate::database::error::{meaning, no_answer, overdue, reason};
use crate::database::monotonic;

/// How long opening a connection may take.
const OPEN_TIMEOUT: Duration = Duration::from_secs(2);
/// How long it may take after a loss: what was begun before the end of an outage
/// is in the way of what would succeed after it.
const WARY_OPEN_TIMEOUT: Duration = Duration::from_secs(1);
/// For how long after a loss new connections are tested too.
const WARY_FOR: Duration = Duration::from_secs(60);
/// How long a connection may take to show that it is alive.
const TEST_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a connection may idle and be used without a test.
const UNTESTED_IDLE: Duration = Duration::from_secs(5);
/// After how long a connection is replaced by a new one.
const LONGEST_LIFE: Duration = Duration::from_secs(30 * 60);
/// After how long a connection that nobody uses is closed.
const LONGEST_UNUSED: Duration = Duration::from_secs(10 * 60);
/// How much longer than the server we wait for a statement, so that a slow one
/// is the server's to end and the connection is kept.
const GRACE: Duration = Duration::from_millis(500);

/// How connections of one database are opened and used.
pub(in crate::database) struct Opener {
    pub(super) endpoint: Endpoint,
    /// The time that the server gives a statement.
    pub(super) statement_limit: Duration,
    pub(super) lost: Arc<LostConnections>,
    /// The file, of a database that is in one.
    pub(super) file: Option<Arc<WatchedFile>>,
}

/// An open connection.
pub(in crate::database) struct Connection {
    driver: Driver,
    opener: Arc<Opener>,
    opened_at: Duration,
    /// When a statement was last run on behalf of a caller.
    used_at: Duration,
    /// When the database was last heard of.
    heard_at: Duration,
    /// When it was last known to take writes.
    writable_at: Duration,
    /// A statement was begun and its answer not read to the end.
    is_unfinished: bool,
    /// It must not be used again.
    is_broken: bool,
    /// The last statement was not answered in time.
    is_overdue: bool,
    is_in_transaction: bool,
    /// A statement of the transaction failed.
    has_failed: bool,
}

impl Opener {
    pub(super) fn dialect(&self) -> &'static Dialect {
        self.endpoint.dialect
    }

    /// How long we wait for a statement.
    pub(super) fn patience(&self) -> Duration {
        self.statement_limit + GRACE
    }

    /// Makes sure that the database is still the one that was opened first.
    pub(super) fn check(&self) -> Result<(), DbErr> {
        self.file.as_ref().map_or(Ok(()), |file| file.check())
    }
}

impl Connection {
    /// Opens a connection, within the time for that.
    pub(super) async fn open(opener: &Arc<Opener>) -> Result<Self, DbErr> {
        let limit = if opener.lost.within(WARY_FOR) {
            WARY_OPEN_TIMEOUT
        } else {
            OPEN_TIMEOUT
        };
        let driver = match timeout(limit, Driver::open(&opener.endpoint)).await {
            Ok(Ok(driver)) => driver,
            Ok(Err(error)) => return Err(no_answer(reason(&error))),
            Err(_) => return Err(no_answer("no connection could be opened in time")),
        };
        let now = monotonic::now();
        let mut connection = Self {
            driver,
            opener: Arc::clone(opener),
            opened_at: now,
            used_at: now,
            heard_at: now,
            writable_at: now,
            is_unfinished: false,
            is_broken: false,
            is_overdue: false,
            is_in_transaction: false,
            has_failed: false,
        };
        let is_wary = opener.lost.within(WARY_FOR);
        if is_wary && opener.dialect().is_remote && connection.is_read_only().await? {
            connection.writable_at = Duration::ZERO;
            opener.lost.note_read_only();
        }
        Ok(connection)
    }

    pub(in crate::database) fn dialect(&self) -> &'static Dialect {
        self.opener.dialect()
    }

    /// Whether it can be used: at once if nothing speaks against it, otherwise
    /// after a test that it is alive and takes writes.
    pub(super) async fn is_fit(&mut self) -> bool {
        if !self.dialect().is_remote {
            return true;
        }
        match self.opener.lost.trust(self.heard_at, self.writable_at) {
            Trust::Full if monotonic::since(self.heard_at) <= UNTESTED_IDLE => true,
            Trust::Full | Trust::Suspended => Box::pin(self.test()).await,
            Trust::Withdrawn => false,
        }
    }

    /// Tests that it is alive and takes writes. A read-only one passes as long
    /// as new ones are read-only too.
    pub(super) async fn test(&mut self) -> bool {
        let began = monotonic::now();
        match self.is_read_only().await {
            Ok(false) => true,
            Ok(true) if self.opener.lost.is_read_only() => true,
            Ok(true) => {
                self.is_broken = true;
                self.opener.lost.note_refusal();
                false
            }
            Err(_) => {
                self.is_broken = true;
                self.opener.lost.condemn(began);
                false
            }
        }
    }

    async fn is_read_only(&mut self) -> Result<bool, DbErr> {
        let select = self.dialect().select_read_only;
        let select = Statement::from_string(self.dialect().backend, select);
        let rows = match timeout(TEST_TIMEOUT, self.driver.rows(&select)).await {
            Ok(rows) => rows.map_err(failed)?,
            Err(_) => return Err(no_answer("it did not answer in time")),
        };
        self.heard_at = monotonic::now();
        let is_read_only = match rows.first() {
            Some(row) => row.try_get_by_index::<i64>(0)? != 0,
            None => false,
        };
        if !is_read_only {
            self.writable_at = self.heard_at;
        }
        Ok(is_read_only)
    }

    /// How long it has not been known to take writes. What only reads is never
    /// refused, and would go on reading from a server that was replaced.
    pub(super) fn untested(&self) -> Duration {
        monotonic::since(self.writable_at)
    }

    /// Whether it has served its time, or nobody has used it for long.
    pub(super) fn is_outdated(&self) -> bool {
        monotonic::since(self.opened_at) > LONGEST_LIFE
            || monotonic::since(self.used_at) > LONGEST_UNUSED
    }

    pub(super) fn is_broken(&self) -> bool {
        self.is_broken && self.is_disposable()
    }

    /// Whether it may be dropped and another be opened.
    pub(super) fn is_disposable(&self) -> bool {
        self.opener.endpoint.is_disposable
    }

    /// Whether the last statement was not answered in time.
    pub(super) fn is_overdue(&self) -> bool {
        self.is_overdue
    }

    /// Whether it must be tidied up before somebody else can use it.
    pub(super) fn is_untidy(&self) -> bool {
        self.is_unfinished || self.is_in_transaction
    }

    /// Runs a statement that returns no rows.
    pub(in crate::database) async fn execute(
        &mut self,
        statement: &Statement,
    ) -> Result<ExecResult, DbErr> {
        self.start();
        let result = timeout(self.opener.patience(), self.driver.execute(statement)).await;
        self.finish(result)
    }

    /// All rows of a statement.
    pub(in crate::database) async fn rows(
        &mut self,
        statement: &Statement,
    ) -> Result<Vec<QueryResult>, DbErr> {
        self.start();
        let result = timeout(self.opener.patience(), self.driver.rows(statement)).await;
        self.finish(result)
    }

    /// Runs statements without values.
    pub(in crate::database) async fn run(&mut self, sql: &str) -> Result<ExecResult, DbErr> {
        self.start();
        let result = timeout(self.opener.patience(), self.driver.run(sql)).await;
        self.finish(result)
    }

    /// As [`execute`](Self::execute), however long it takes.
    pub(in crate::database) async fn execute_unlimited(
        &mut self,
        statement: &Statement,
    ) -> Result<ExecResult, DbErr> {
        self.start();
        let result = self.driver.execute(statement).await;
        self.finish(Ok(result))
    }

    /// As [`rows`](Self::rows), however long it takes.
    pub(in crate::database) async fn rows_unlimited(
        &mut self,
        statement: &Statement,
    ) -> Result<Vec<QueryResult>, DbErr> {
        self.start();
        let result = self.driver.rows(statement).await;
        self.finish(Ok(result))
    }

    /// As [`run`](Self::run), however long it takes.
    pub(in crate::database) async fn run_unlimited(
        &mut self,
        sql: &str,
    ) -> Result<ExecResult, DbErr> {
        self.start();
        let result = self.driver.run(sql).await;
        self.finish(Ok(result))
    }

    /// Begins a transaction.
    pub(in crate::database) async fn begin(&mut self) -> Result<(), DbErr> {
        self.is_in_transaction = true;
        self.has_failed = false;
        self.run(self.dialect().begin).await.map(drop)
    }

    /// Commits. A transaction of which a statement failed is not committed:
    /// PostgreSQL would answer such a COMMIT as if it were one.
    pub(in crate::database) async fn commit(&mut self) -> Result<(), DbErr> {
        if self.has_failed {
            return Err(no_answer("a statement of the unit of work failed"));
        }
        self.run("COMMIT").await?;
        self.is_in_transaction = false;
        Ok(())
    }

    /// Reads answers to their end that nobody waited for, and rolls back what
    /// is open. Tells whether the connection is good afterwards.
    pub(super) async fn tidy(&mut self) -> bool {
        let began = monotonic::now();
        let tidied = if self.opener.endpoint.is_disposable {
            let limit = if self.dialect().is_remote {
                TEST_TIMEOUT
            } else {
                self.opener.patience()
            };
            let tidying = timeout(limit, settle(&mut self.driver, self.is_in_transaction));
            matches!(tidying.await, Ok(Ok(())))
        } else {
            settle(&mut self.driver, self.is_in_transaction)
                .await
                .is_ok()
        };
        if tidied {
            self.heard_at = monotonic::now();
            self.is_unfinished = false;
            self.is_in_transaction = false;
        } else {
            self.is_broken = true;
            self.opener.lost.condemn(began);
        }
        tidied
    }

    /// Says goodbye, and waits only so long for an answer.
    pub(super) async fn close(self) {
        timeout(TEST_TIMEOUT, self.driver.close()).await.ok();
    }

    fn start(&mut self) {
        self.is_unfinished = true;
        self.used_at = monotonic::now();
    }

    fn finish<T>(&mut self, result: Result<Result<T, Error>, Elapsed>) -> Result<T, DbErr> {
        self.is_unfinished = false;
        let Ok(result) = result else {
            self.is_broken = true;
            self.is_overdue = true;
            self.has_failed = true;
            self.opener.lost.suspect(self.used_at);
            return Err(overdue());
        };
        self.heard_at = monotonic::now();
        result.map_err(|error| {
            self.has_failed = true;
            match meaning(&error) {
                Meaning::Lost(_) => {
                    self.is_broken = true;
                    self.opener.lost.suspect(self.heard_at);
                }
                Meaning::ReadOnly(_) => self.opener.lost.note_refusal(),
                Meaning::Taken | Meaning::Conflict | Meaning::Refused(_) | Meaning::Failed(_) => {}
            }
            failed(error)
        })
    }
}

/// SQLite refuses a ROLLBACK where no transaction is open, as after a BEGIN that
/// failed: there is nothing to roll back then.
async fn settle(driver: &mut Driver, is_in_transaction: bool) -> Result<(), Error> {
    if !is_in_transaction {
        return driver.ping().await;
    }
    match driver.run("ROLLBACK").await {
        Ok(_) => Ok(()),
        Err(Error::Database(_)) => driver.ping().await,
        Err(error) => Err(error),
    }
}

fn failed(error: Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}
