//! The three drivers behind one type: what a statement needs of them.

use std::thread;

use sea_orm::sea_query::Values;
use sea_orm::{ExecResult, QueryResult, Statement};
use sea_query_sqlx::SqlxValues;
use sqlx::mysql::MySqlConnection;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection as _, Error, Executor as _};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::database::endpoint::{DriverOptions, Endpoint};

/// A driver's connection.
pub(super) enum Driver {
    Postgres(Box<PgConnection>),
    MySql(Box<MySqlConnection>),
    Sqlite(Box<SqliteConnection>),
}

/// Runs the same on whichever connection there is.
macro_rules! on_each {
    ($driver:expr, $connection:ident => $run:expr) => {
        match $driver {
            Driver::Postgres($connection) => $run,
            Driver::MySql($connection) => $run,
            Driver::Sqlite($connection) => $run,
        }
    };
}

/// What threads that work on a file concede to others: a statement may take milliseconds,
/// the answers to most calls take microseconds.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Opens a file from a thread of its own, which is nice: sqlx starts a thread for each
/// connection, and a thread is as nice as the one that starts it.
async fn open_file(options: &SqliteConnectOptions) -> Result<SqliteConnection, Error> {
    let (opened, opening) = oneshot::channel();
    let (runtime, options) = (Handle::current(), options.clone());
    thread::Builder::new()
        .name("sqlite-open".into())
        .spawn(move || {
            be_nice();
            let connection = runtime.block_on(SqliteConnection::connect_with(&options));
            // Whoever asked may have given up.
            let _ = opened.send(connection);
        })?;
    opening.await.map_err(|_| Error::WorkerCrashed)?
}

/// Makes this thread nice, if the system lets it. Elsewhere than on Linux it would be the
/// whole process.
fn be_nice() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::debug!(%error, "a thread of SQLite keeps the priority of the others");
    }
}

impl Driver {
    /// Opens a connection and sets it up.
    pub(super) async fn open(endpoint: &Endpoint) -> Result<Self, Error> {
        let mut driver = Self::connect(&endpoint.options).await?;
        if !endpoint.setup.is_empty() {
            driver.run(&endpoint.setup).await?;
        }
        if !endpoint.optional_setup.is_empty() {
            match driver.run(&endpoint.optional_setup).await {
                Ok(_) | Err(Error::Database(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(driver)
    }

    async fn connect(options: &DriverOptions) -> Result<Self, Error> {
        Ok(match options {
            DriverOptions::Postgres(options) => {
                Self::Postgres(Box::new(PgConnection::connect_with(options).await?))
            }
            DriverOptions::MySql(options) => {
                Self::MySql(Box::new(MySqlConnection::connect_with(options).await?))
            }
            DriverOptions::Sqlite(options) => Self::Sqlite(Box::new(open_file(options).await?)),
        })
    }

    /// Runs a prepared statement that returns no rows.
    pub(super) async fn execute(&mut self, statement: &Statement) -> Result<ExecResult, Error> {
        let sql = AssertSqlSafe(statement.sql.as_str());
        let values = values_of(statement);
        on_each!(self, connection => {
            let done = sqlx::query_with(sql, values).execute(&mut **connection).await?;
            Ok(done.into())
        })
    }

    /// All rows of a prepared statement.
    pub(super) async fn rows(&mut self, statement: &Statement) -> Result<Vec<QueryResult>, Error> {
        let sql = AssertSqlSafe(statement.sql.as_str());
        let values = values_of(statement);
        on_each!(self, connection => {
            let rows = sqlx::query_with(sql, values).fetch_all(&mut **connection).await?;
            Ok(rows.into_iter().map(QueryResult::from).collect())
        })
    }

    /// Runs statements without values, separated by semicolons.
    pub(super) async fn run(&mut self, sql: &str) -> Result<ExecResult, Error> {
        let sql = AssertSqlSafe(sql.to_owned());
        on_each!(self, connection => Ok(connection.execute(sql).await?.into()))
    }

    /// Asks for a sign of life, after the answers that are still under way.
    pub(super) async fn ping(&mut self) -> Result<(), Error> {
        on_each!(self, connection => connection.ping().await)
    }

    /// Says goodbye.
    pub(super) async fn close(self) -> Result<(), Error> {
        on_each!(self, connection => connection.close().await)
    }
}

fn values_of(statement: &Statement) -> SqlxValues {
    SqlxValues(statement.values.clone().unwrap_or(Values(Vec::new())))
}
