//! SQLite.
//!
//! Caveats:
//! - The file is opened read-only. One with a write-ahead log needs the files beside
//!   it, or a directory in which they can be made.
//! - `LOWER` knows ASCII alone.
//! - Columns hold values of any type: what is read is what a cell says, not what its
//!   column promises.

use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;

use crate::settings::SettingsError;

/// How to open the database. A file that is not there is not made.
pub(crate) fn options(url: &str) -> Result<SqliteConnectOptions, SettingsError> {
    let example = SettingsError::Url("sqlite://path/to/file");
    let options: SqliteConnectOptions = url.parse().map_err(|_| example)?;
    Ok(options
        .create_if_missing(false)
        .read_only(true)
        .busy_timeout(Duration::from_millis(500))
        .disable_statement_logging())
}
