//! Opening a database: one pool on PostgreSQL and MySQL, two on SQLite.
//!
//! The pools are made from sqlx's options, not from sea-orm's, which would
//! write the URL with its password to the log at trace level.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{DatabaseConnection, SqlxMySqlConnector, SqlxPostgresConnector, SqlxSqliteConnector};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::pool::PoolOptions;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Executor};

use super::error::{is_conflict, reason};
use super::lost_connections::LostConnections;
use super::reopening::{Opener, reopening_pool};
use super::settings::{ConnectError, DatabaseSettings};

/// How many readers SQLite has beside its one writer.
const SQLITE_READERS: u32 = 4;
/// How long to wait for another process that creates the same file.
const BUSY_PAUSE: Duration = Duration::from_millis(20);

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
        Some(("sqlite", _)) => open_sqlite(settings).await,
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
async fn open_sqlite(settings: &DatabaseSettings) -> Result<Pools, ConnectError> {
    let options: SqliteConnectOptions = settings.url.parse().map_err(|_| {
        ConnectError::Url("SQLite", "it must look like sqlite://path/to/file?mode=rwc")
    })?;
    // Whoever waits for another process is told so before its time is over.
    let options = options
        .foreign_keys(true)
        .busy_timeout(settings.statement_timeout / 2)
        .disable_statement_logging();
    let writer = options.clone().synchronous(SqliteSynchronous::Full);
    let in_memory = settings.url.contains(":memory:") || settings.url.contains("mode=memory");
    let pool = |size| {
        PoolOptions::new()
            .max_connections(size)
            .acquire_timeout(settings.acquire_timeout)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
    };
    if in_memory {
        let pool = pool(1).connect_lazy_with(writer);
        let pool = SqlxSqliteConnector::from_sqlx_sqlite_pool(pool);
        return Ok(Pools {
            reader: pool.clone(),
            writer: pool,
        });
    }

    // This creates the file, with a write-ahead log from then on, before a
    // reader needs it.
    let file = options.get_filename().display();
    let place = format!("the SQLite database {file}");
    let creation = writer.clone().journal_mode(SqliteJournalMode::Wal);
    let opener = Opener::<SqliteConnection>::new(creation, Vec::new());
    try_once(settings, place, &opener).await?;
    let readers = settings.max_connections.clamp(1, SQLITE_READERS);
    let reader = options.pragma("query_only", "on");
    let reader = pool(readers).connect_lazy_with(reader);
    let writer = pool(1).connect_lazy_with(writer);
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

    // A process that dies together with its machine must not hold its locks
    // until the operating system notices. SET, because connection poolers
    // refuse such parameters in the startup message.
    let millis = settings.statement_timeout.as_millis();
    let idle_millis = millis.saturating_mul(6);
    let setup = vec![
        format!("SET statement_timeout = {millis}"),
        format!("SET idle_in_transaction_session_timeout = {idle_millis}"),
    ];
    let opener = Opener::<PgConnection>::new(options, setup);
    try_once(settings, place, &opener).await?;
    let pool = reopening_pool(settings, opener, lost);
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

    let seconds = (settings.statement_timeout / 2).as_secs().max(1);
    let setup = vec![
        "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')".into(),
        format!("SET SESSION innodb_lock_wait_timeout = {seconds}"),
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED".into(),
    ];
    let opener = Opener::<MySqlConnection>::new(options, setup);
    try_once(settings, place, &opener).await?;
    let pool = reopening_pool(settings, opener, lost);
    let pool = SqlxMySqlConnector::from_sqlx_mysql_pool(pool);
    Ok(Pools {
        reader: pool.clone(),
        writer: pool,
    })
}

/// Connects and disconnects: the pool itself would try again and again and then
/// only say that it took too long. Only SQLite's answer that it is busy is worth
/// another try: two who create one file do not wait for each other.
async fn try_once<C>(
    settings: &DatabaseSettings,
    place: String,
    opener: &Opener<C>,
) -> Result<(), ConnectError>
where
    C: Connection,
    for<'c> &'c mut C: Executor<'c>,
{
    let connect = async {
        loop {
            match opener.open().await {
                Ok(connection) => return connection.close().await,
                Err(error) if is_conflict(&error) => tokio::time::sleep(BUSY_PAUSE).await,
                Err(error) => return Err(error),
            }
        }
    };
    let reason = match tokio::time::timeout(settings.connect_timeout, connect).await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => reason(&error),
        Err(_) => format!("no answer within {} s", settings.connect_timeout.as_secs()),
    };
    Err(ConnectError::Unreachable { place, reason })
}
