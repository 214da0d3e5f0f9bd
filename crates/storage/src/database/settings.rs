//! Which database, and how long to wait for it.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

/// Which database to use, and how.
#[derive(Debug, Clone)]
pub struct DatabaseSettings {
    /// `sqlite://path?mode=rwc`, `sqlite::memory:`, `postgres://…` or
    /// `mysql://…`. TLS is asked for in the query, as in
    /// `?sslmode=verify-full&sslrootcert=/path` (PostgreSQL) and
    /// `?ssl-mode=VERIFY_IDENTITY&ssl-ca=/path` (MySQL). Never shown.
    pub url: SecretString,
    /// Whether the file of a SQLite database must be there already. It is then
    /// left as it is; otherwise it is made, if the URL has `mode=rwc`.
    pub must_exist: bool,
    /// How many connections are held at most, at least 1. On PostgreSQL three
    /// more are held for what is committed in groups.
    pub max_connections: u32,
    /// How long [`connect`](crate::database::Database::connect) waits for the
    /// first connection.
    pub connect_timeout: Duration,
    /// How long a call waits for a connection, a new one included.
    pub acquire_timeout: Duration,
    /// How long one statement may take: at most 20 s, or a unit of work could
    /// outlive what its readers allow for. Waiting for a lock takes half of it
    /// at most.
    pub statement_timeout: Duration,
}

/// The longest time for a statement.
const LONGEST_STATEMENT: Duration = Duration::from_secs(20);

/// Why a database cannot be used. Never tells a password.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL has the scheme of no database that is supported.
    #[error("the database URL must start with sqlite:, postgres:// or mysql://{0}")]
    Scheme(String),
    /// The URL cannot be read.
    #[error("the database URL is not a valid {0} URL: {1}")]
    Url(&'static str, &'static str),
    /// The file of a SQLite database must be there, and is not.
    #[error("there is no SQLite database {}", .0.display())]
    Missing(PathBuf),
    /// The database cannot be reached or opened, or it refuses.
    #[error("cannot connect to {place}: {reason}")]
    Unreachable {
        /// The kind of database, its host and name, or the file.
        place: String,
        /// What the operating system or the database said.
        reason: String,
    },
}

impl DatabaseSettings {
    /// The default settings for the database at `url`.
    #[must_use]
    pub fn new(url: impl Into<SecretString>) -> Self {
        Self {
            url: url.into(),
            must_exist: false,
            max_connections: 16,
            connect_timeout: Duration::from_secs(5),
            acquire_timeout: Duration::from_secs(3),
            statement_timeout: Duration::from_secs(5),
        }
    }

    /// The time that a database gives a statement.
    pub(super) fn statement_limit(&self) -> Duration {
        self.statement_timeout.min(LONGEST_STATEMENT)
    }
}
