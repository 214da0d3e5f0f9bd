//! MySQL and MariaDB.
//!
//! Caveats:
//! - A column whose collation ignores case is compared as it is, so that its index is
//!   used; of any other `LOWER(column)` is compared, and each lookup reads the whole
//!   table.
//! - TIMESTAMP columns are read in UTC; what DATETIME columns hold is taken for UTC.
//! - MariaDB limits the time of every statement, MySQL that of SELECT, which is all
//!   there is here.
//! - A user with the privilege SELECT is enough. The tests run on MariaDB.

use sqlx::ConnectOptions as _;
use sqlx::mysql::MySqlConnectOptions;

use crate::limits::STATEMENT_LIMIT;
use crate::settings::{SettingsError, check_parameters};

/// What the driver reads of a URL. It would pass over any other.
const PARAMETERS: [&str; 14] = [
    "ssl-mode",
    "sslmode",
    "ssl-ca",
    "sslca",
    "ssl-cert",
    "sslcert",
    "ssl-key",
    "sslkey",
    "socket",
    "charset",
    "collation",
    "timezone",
    "time-zone",
    "statement-cache-capacity",
];

/// How to reach the database.
pub(crate) fn options(url: &str) -> Result<MySqlConnectOptions, SettingsError> {
    check_parameters(url, &PARAMETERS)?;
    let url = url.replacen("mariadb:", "mysql:", 1);
    let example = SettingsError::Url("mysql://user@host:3306/name");
    let options: MySqlConnectOptions = url.parse().map_err(|_| example)?;
    Ok(options
        .charset("utf8mb4")
        .timezone(Some("+00:00".into()))
        .disable_statement_logging())
}

/// What a connection begins with. Each server reads its own part of the comments.
pub(crate) fn setup() -> String {
    format!(
        "SET SESSION TRANSACTION READ ONLY; \
         SET SESSION innodb_lock_wait_timeout = 1 \
         /*M!100300 , max_statement_time = {} */ /*!80000 , max_execution_time = {} */",
        STATEMENT_LIMIT.as_secs_f64(),
        STATEMENT_LIMIT.as_millis()
    )
}

/// Asks for the collation of a column; none of one that is no text.
pub(crate) const SELECT_COLLATION: &str = "SELECT CAST(collation_name AS CHAR) \
     FROM information_schema.columns \
     WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ? AND column_name = ?";
