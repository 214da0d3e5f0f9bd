//! PostgreSQL.
//!
//! Caveats:
//! - E-mail addresses and user names are compared by `LOWER(column)`: without an
//!   index on that expression each lookup reads the whole table.
//! - What a connection begins with is set by SET, which poolers that share
//!   connections between transactions may lose.

use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;

use crate::limits::STATEMENT_LIMIT;
use crate::settings::{SettingsError, check_parameters};

/// What the driver reads of a URL. It would pass over any other.
const PARAMETERS: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
    "statement-cache-capacity",
];

/// How to reach the database.
pub(crate) fn options(url: &str) -> Result<PgConnectOptions, SettingsError> {
    check_parameters(url, &PARAMETERS)?;
    let example = SettingsError::Url("postgres://user@host:5432/name");
    let options: PgConnectOptions = url.parse().map_err(|_| example)?;
    Ok(options.disable_statement_logging())
}

/// What a connection begins with.
pub(crate) fn setup() -> String {
    format!(
        "SET default_transaction_read_only = on; SET TimeZone = 'UTC'; \
         SET DateStyle = 'ISO'; SET statement_timeout = {}",
        STATEMENT_LIMIT.as_millis()
    )
}
