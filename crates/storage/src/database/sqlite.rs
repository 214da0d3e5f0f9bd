//! SQLite, in a file or in memory.
//!
//! Caveats:
//! - One writer. The store writes on one connection, so that writers queue
//!   fairly in this process instead of failing with SQLITE_BUSY, and begins
//!   with BEGIN IMMEDIATE, so that a transaction which has read is never
//!   outdated when it writes.
//! - The file has a write-ahead log: `cp` of a database in use loses what is in
//!   it. Use `countersign backup`.
//! - Other processes may read and write the file (the command line does), and
//!   wait for each other for half the time of a statement. The service itself
//!   must be one process: its file must not lie on a network.
//! - A file that is removed or replaced under a running server stays open and
//!   takes writes that are lost. The store looks whose file is at the path before
//!   it uses a connection, and fails from then on.
//! - A database in memory belongs to its connection: there is one, which is
//!   never closed, and no statement on it is given up.
//! - The machine's clock is the database's.
//! - Columns take values of any type: a row may hold what its column does not
//!   promise.

use std::path::PathBuf;

use sea_orm::DbBackend;
use secrecy::ExposeSecret as _;
use sqlx::ConnectOptions as _;
use sqlx::error::DatabaseError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use super::dialect::{BatchedDeletes, Dialect, Meaning, Rotations};
use super::endpoint::{DriverOptions, Endpoint};
use super::settings::{ConnectError, DatabaseSettings};

/// How many readers there are at most beside the one writer.
pub(super) const READERS: u32 = 4;

pub(super) const DIALECT: Dialect = Dialect {
    backend: DbBackend::Sqlite,
    is_remote: false,
    now_millis: "CAST(ROUND(unixepoch('subsec') * 1000) AS INTEGER)",
    begin: "BEGIN IMMEDIATE",
    select_read_only: "SELECT 0",
    select_schema_versions: "SELECT 1 FROM sqlite_master \
                             WHERE type = 'table' AND name = 'schema_versions'",
    pins_connections: false,
    identifier_bytes: "value",
    equals_by_range: false,
    batched_deletes: BatchedDeletes::Subselect,
    rotations: Rotations::Transaction,
};

/// How the connections to a database differ.
pub(super) struct Endpoints {
    /// Creates the file, with a write-ahead log from then on, unless it must
    /// exist; for opening it once, before a reader needs it.
    pub(super) creator: Endpoint,
    pub(super) reader: Endpoint,
    pub(super) writer: Endpoint,
    /// Whether the file is created if it is not there.
    pub(super) is_created: bool,
    /// The file; none of a database in memory.
    pub(super) file: Option<PathBuf>,
}

/// Where the database is.
pub(super) fn endpoints(settings: &DatabaseSettings) -> Result<Endpoints, ConnectError> {
    let mut options = options(settings)?;
    let file = settings.file();
    let is_created = !settings.must_exist && settings.url.expose_secret().contains("mode=rwc");
    let place = format!("the SQLite database {}", options.get_filename().display());
    if settings.must_exist {
        options = options.create_if_missing(false);
    }
    let options = options
        .foreign_keys(true)
        .busy_timeout(settings.statement_limit().mul_f32(0.9))
        .disable_statement_logging();
    let endpoint = |options: SqliteConnectOptions| Endpoint {
        dialect: &DIALECT,
        options: DriverOptions::Sqlite(Box::new(options)),
        place: place.clone(),
        setup: String::new(),
        optional_setup: String::new(),
        is_disposable: file.is_some(),
    };
    let writer = options.clone().synchronous(SqliteSynchronous::Full);
    let creator = if settings.must_exist {
        writer.clone()
    } else {
        writer.clone().journal_mode(SqliteJournalMode::Wal)
    };
    Ok(Endpoints {
        creator: endpoint(creator),
        reader: endpoint(options.pragma("query_only", "on")),
        writer: endpoint(writer),
        is_created,
        file,
    })
}

impl DatabaseSettings {
    /// The file of a SQLite database; `None` if it is in memory, or on a server.
    #[must_use]
    pub fn file(&self) -> Option<PathBuf> {
        let url = self.url.expose_secret();
        let is_in_memory = url.contains(":memory:") || url.contains("mode=memory");
        if is_in_memory || !url.starts_with("sqlite:") {
            return None;
        }
        let options = options(self).ok()?;
        Some(options.get_filename().to_path_buf())
    }
}

fn options(settings: &DatabaseSettings) -> Result<SqliteConnectOptions, ConnectError> {
    settings.url.expose_secret().parse().map_err(|_| {
        ConnectError::Url("SQLite", "it must look like sqlite://path/to/file?mode=rwc")
    })
}

/// What an error means, if it is one of SQLite's. The low byte of an extended
/// result code is the class: 5 BUSY, 6 LOCKED, 8 READONLY, 10 IOERR, 11 CORRUPT,
/// 13 FULL, 19 CONSTRAINT.
pub(super) fn meaning(error: &dyn DatabaseError) -> Meaning {
    let code: u32 = error.code().and_then(|code| code.parse().ok()).unwrap_or(0);
    let named = || format!("{} (SQLite {code})", error.message());
    match code {
        // primary key, unique
        1555 | 2067 => Meaning::Taken,
        // foreign key
        787 => Meaning::Conflict,
        code => match code & 0xff {
            5 | 6 => Meaning::Conflict,
            8 | 10 | 13 => Meaning::ReadOnly(named()),
            11 => Meaning::Refused(named()),
            // Constraints are the only ones that could say more than names.
            19 => Meaning::Refused(format!("SQLite error {code}")),
            _ => Meaning::Failed(named()),
        },
    }
}
