//! Where a database is, and what a new connection to it begins with.

use sqlx::mysql::MySqlConnectOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use super::dialect::Dialect;

/// What a driver needs to open a connection.
#[derive(Clone)]
pub(super) enum DriverOptions {
    Postgres(Box<PgConnectOptions>),
    MySql(Box<MySqlConnectOptions>),
    Sqlite(Box<SqliteConnectOptions>),
}

/// Where a database is, and what a new connection begins with.
pub(super) struct Endpoint {
    pub(super) dialect: &'static Dialect,
    pub(super) options: DriverOptions,
    /// For people, without a password.
    pub(super) place: String,
    /// Statements that a connection begins with; may be empty.
    pub(super) setup: String,
    /// Likewise, but a server need not know them.
    pub(super) optional_setup: String,
    /// Whether a connection may be dropped and opened anew. That of a database
    /// in memory may not.
    pub(super) is_disposable: bool,
}
