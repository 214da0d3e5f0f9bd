//! Opening a database: one pool on PostgreSQL and MySQL, two on SQLite.
//!
//! The pools are made from sqlx's options, not from sea-orm's, which would
//! write the URL with its password to the log at trace level.

use std::future;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{DatabaseConnection, SqlxMySqlConnector, SqlxPostgresConnector, SqlxSqliteConnector};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::pool::PoolOptions;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Executor};

use super::error::reason;
use super::lost_connections::LostConnections;
use super::settings::{ConnectError, DatabaseSettings};

/// How long a connection may take to show that it is alive.
const TEST_TIMEOUT: Duration = Duration::from_secs(2);
/// For how long after a loss connections are tested on their way back.
const WARY_FOR: Duration = Duration::from_secs(10);
/// How many readers SQLite has beside its one writer.
const SQLITE_READERS: u32 = 4;

/// An open database.
pub(super) struct Pools {
    /// For what only reads.
    pub(super) reader: DatabaseConnection,
    /// For what writes. On SQLite it has one connection, so that writers queue
    /// here, fairly, instead of failing with SQLITE_BUSY; elsewhere it is the
    /// same pool as the reader.
    pub(super) writer: DatabaseConnection,
}

/// Opens the database and makes sure that it answers.
pub(super) async fn open(
    settings: &DatabaseSettings,
    lost: &Arc<LostConnections>,
) -> Result<Pools, ConnectError> {
    match settings.url.split_once(':') {
        Some(("sqlite", _)) => open_sqlite(settings, lost).await,
        Some(("postgres" | "postgresql", _)) => open_postgres(settings, lost).await,
        Some(("mysql" | "mariadb", _)) => open_mysql(settings, lost).await,
        // Only what surely is a scheme is repeated: anything else may be a secret.
        Some((scheme, rest))
            if rest.starts_with("//")
                && scheme.len() < 16
                && scheme.bytes().all(|b| b.is_ascii_alphanumeric()) =>
        {
            Err(ConnectError::Scheme(format!(", not {scheme}://")))
        }
        _ => Err(ConnectError::Scheme(String::new())),
    }
}

/// In-memory databases belong to their connection: there is one, and it is
/// never closed.
async fn open_sqlite(
    settings: &DatabaseSettings,
    lost: &Arc<LostConnections>,
) -> Result<Pools, ConnectError> {
    let options: SqliteConnectOptions = settings.url.parse().map_err(|_| {
        ConnectError::Url("SQLite", "it must look like sqlite://path/to/file?mode=rwc")
    })?;
    let options = options
        .foreign_keys(true)
        .busy_timeout(settings.statement_timeout)
        .disable_statement_logging();
    let in_memory = settings.url.contains(":memory:") || settings.url.contains("mode=memory");
    let file = options.get_filename().display();
    let place = format!("the SQLite database {file}");

    let writer = options
        .clone()
        .synchronous(SqliteSynchronous::Full)
        .journal_mode(if in_memory {
            SqliteJournalMode::Memory
        } else {
            SqliteJournalMode::Wal
        });
    let kept = |pool: PoolOptions<sqlx::Sqlite>| pool.idle_timeout(None).max_lifetime(None);
    if in_memory {
        let pool = kept(pool_options(settings, lost, 1)).connect_lazy_with(writer);
        let pool = SqlxSqliteConnector::from_sqlx_sqlite_pool(pool);
        return Ok(Pools {
            reader: pool.clone(),
            writer: pool,
        });
    }

    // Opening creates the file and its journal before a reader needs them.
    try_once::<SqliteConnection>(settings, &place, &writer).await?;
    let readers = settings.max_connections.clamp(1, SQLITE_READERS);
    let reader = options.pragma("query_only", "on");
    let reader = kept(pool_options(settings, lost, readers)).connect_lazy_with(reader);
    let writer = kept(pool_options(settings, lost, 1)).connect_lazy_with(writer);
    Ok(Pools {
        reader: SqlxSqliteConnector::from_sqlx_sqlite_pool(reader),
        writer: SqlxSqliteConnector::from_sqlx_sqlite_pool(writer),
    })
}

async fn open_postgres(
    settings: &DatabaseSettings,
    lost: &Arc<LostConnections>,
) -> Result<Pools, ConnectError> {
    let options: PgConnectOptions = settings.url.parse().map_err(|_| {
        ConnectError::Url(
            "PostgreSQL",
            "it must look like postgres://user@host:5432/name",
        )
    })?;
    let options = options.disable_statement_logging();
    let place = format!(
        "the PostgreSQL database {} at {}:{}",
        options.get_database().unwrap_or(options.get_username()),
        options.get_host(),
        options.get_port(),
    );
    try_once::<PgConnection>(settings, &place, &options).await?;

    // A process that dies together with its machine must not hold its locks
    // until the operating system notices. SET, because connection poolers
    // refuse such parameters in the startup message.
    let millis = settings.statement_timeout.as_millis();
    let set = format!(
        "SET statement_timeout = {millis}; \
         SET idle_in_transaction_session_timeout = {}",
        millis.saturating_mul(6)
    );
    let pool = pool_options(settings, lost, settings.max_connections)
        .after_connect(move |connection: &mut PgConnection, _| {
            let set = sqlx::AssertSqlSafe(set.clone());
            Box::pin(async move { connection.execute(set).await.map(drop) })
        })
        .connect_lazy_with(options);
    let pool = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
    Ok(Pools {
        reader: pool.clone(),
        writer: pool,
    })
}

/// READ COMMITTED, as PostgreSQL has it, and not MySQL's REPEATABLE READ: under
/// that, reading an absent row for update locks the gap in which it would lie,
/// and two who look for a free identifier and then take it deadlock. Nothing
/// here reads the same row twice and needs it unchanged, other than rows that
/// it has locked.
async fn open_mysql(
    settings: &DatabaseSettings,
    lost: &Arc<LostConnections>,
) -> Result<Pools, ConnectError> {
    let url = settings.url.replacen("mariadb:", "mysql:", 1);
    let options: MySqlConnectOptions = url
        .parse()
        .map_err(|_| ConnectError::Url("MySQL", "it must look like mysql://user@host:3306/name"))?;
    let options = options
        .charset("utf8mb4")
        .timezone(Some("+00:00".into()))
        .disable_statement_logging();
    let place = format!(
        "the MySQL database {} at {}:{}",
        options.get_database().unwrap_or("(none named)"),
        options.get_host(),
        options.get_port(),
    );
    try_once::<MySqlConnection>(settings, &place, &options).await?;

    let seconds = settings.statement_timeout.as_secs().max(1);
    let set = format!(
        "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES'), \
         SESSION innodb_lock_wait_timeout = {seconds}"
    );
    let pool = pool_options(settings, lost, settings.max_connections)
        .after_connect(move |connection: &mut MySqlConnection, _| {
            let set = sqlx::AssertSqlSafe(set.clone());
            Box::pin(async move {
                connection.execute(set).await?;
                let isolation = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";
                connection.execute(isolation).await.map(drop)
            })
        })
        .connect_lazy_with(options);
    let pool = SqlxMySqlConnector::from_sqlx_mysql_pool(pool);
    Ok(Pools {
        reader: pool.clone(),
        writer: pool,
    })
}

/// Connects and disconnects: the pool itself would try again and again and then
/// only say that it took too long.
async fn try_once<C: Connection>(
    settings: &DatabaseSettings,
    place: &str,
    options: &C::Options,
) -> Result<(), ConnectError> {
    let unreachable = |reason: String| ConnectError::Unreachable {
        place: place.to_owned(),
        reason,
    };
    let seconds = settings.connect_timeout.as_secs();
    tokio::time::timeout(settings.connect_timeout, options.connect())
        .await
        .map_err(|_| unreachable(format!("no answer within {seconds} s")))?
        .map_err(|error| unreachable(reason(&error)))?
        .close()
        .await
        .map_err(|error| unreachable(reason(&error)))
}

fn pool_options<DB: sqlx::Database>(
    settings: &DatabaseSettings,
    lost: &Arc<LostConnections>,
    max_connections: u32,
) -> PoolOptions<DB> {
    let lost_before_use = Arc::clone(lost);
    let lost_before_return = Arc::clone(lost);
    PoolOptions::new()
        .max_connections(max_connections.max(1))
        .acquire_timeout(settings.acquire_timeout)
        .test_before_acquire(false)
        .before_acquire(move |connection, meta| {
            if lost_before_use.within(meta.idle_for) {
                Box::pin(test::<DB>(connection))
            } else {
                Box::pin(future::ready(Ok(true)))
            }
        })
        .after_release(move |connection, _| {
            if lost_before_return.within(WARY_FOR) {
                Box::pin(test::<DB>(connection))
            } else {
                Box::pin(future::ready(Ok(true)))
            }
        })
}

/// Whether a connection is alive. A dead one must not be closed politely, which
/// could wait for ever: hence an error, not `Ok(false)`.
async fn test<DB: sqlx::Database>(connection: &mut DB::Connection) -> Result<bool, sqlx::Error> {
    match tokio::time::timeout(TEST_TIMEOUT, connection.ping()).await {
        Ok(answer) => answer.map(|()| true),
        Err(_) => Err(sqlx::Error::PoolTimedOut),
    }
}
