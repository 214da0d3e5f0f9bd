//! MySQL and MariaDB.
//!
//! Caveats:
//! - READ COMMITTED, as PostgreSQL has it, and not MySQL's REPEATABLE READ:
//!   under that, reading an absent row for update locks the gap in which it
//!   would lie, and two who look for a free identifier and then take it
//!   deadlock. Nothing here reads the same row twice and needs it unchanged,
//!   other than rows that it has locked.
//! - The server's character set and collation do not matter: the tables name
//!   their own, so that text compares byte for byte.
//! - Changes of tables commit by themselves, so each step of a migration can be
//!   repeated.
//! - No statement changes several rows differently and tells which: the
//!   rotations of a batch go out one by one at the same time, and the server
//!   commits them in groups.
//! - MariaDB limits the time of every statement and of an idle transaction.
//!   MySQL limits that of SELECT only, and of an idle connection: what idles is
//!   tested more often than that.
//! - MariaDB looks for equal columns at the beginning of an index before it looks for
//!   ranges of what follows: in the middle of a list of a million users it passed over
//!   half of them. So lists say that a group or state is neither less nor more.
//! - `SKIP LOCKED` needs MariaDB 10.6 or MySQL 8.0. The tests run on MariaDB.
//! - `read_only` binds no administrator: with such a user a demoted primary is
//!   not recognised by its refusals, only when its connections are tested.
//! - The time of day is read in the session's time zone, which is set to UTC.

use sea_orm::DbBackend;
use secrecy::ExposeSecret as _;
use sqlx::ConnectOptions as _;
use sqlx::error::DatabaseError;
use sqlx::mysql::{MySqlConnectOptions, MySqlDatabaseError};

use super::dialect::{BatchedDeletes, Dialect, Meaning, Rotations};
use super::endpoint::{DriverOptions, Endpoint};
use super::settings::{ConnectError, DatabaseSettings};

pub(super) const DIALECT: Dialect = Dialect {
    backend: DbBackend::MySql,
    is_remote: true,
    // SYSDATE, unlike NOW, is read when it is evaluated.
    now_millis: "TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', SYSDATE(3)) DIV 1000",
    begin: "START TRANSACTION",
    // A number in older servers, a word in newer ones.
    select_read_only: "SELECT CAST(CAST(@@global.read_only AS CHAR) NOT IN ('0', 'OFF') AS SIGNED)",
    select_schema_versions: "SELECT CAST(1 AS SIGNED) FROM information_schema.tables \
                             WHERE table_schema = DATABASE() AND table_name = 'schema_versions'",
    pins_connections: false,
    identifier_bytes: "value",
    equals_by_range: true,
    batched_deletes: BatchedDeletes::Limit,
    rotations: Rotations::Single,
};

/// Where the database is, and what a new connection begins with.
pub(super) fn endpoint(settings: &DatabaseSettings) -> Result<Endpoint, ConnectError> {
    let url = settings
        .url
        .expose_secret()
        .replacen("mariadb:", "mysql:", 1);
    let options: MySqlConnectOptions = url
        .parse()
        .map_err(|_| ConnectError::Url("MySQL", "it must look like mysql://user@host:3306/name"))?;
    let place = format!(
        "the MySQL database {} at {}:{}",
        options.get_database().unwrap_or("(none named)"),
        options.get_host(),
        options.get_port(),
    );
    let options = options
        .charset("utf8mb4")
        .timezone(Some("+00:00".into()))
        .disable_statement_logging();
    let limit = settings.statement_limit();
    let idle = (limit * 2).as_secs().max(1);
    Ok(Endpoint {
        dialect: &DIALECT,
        options: DriverOptions::MySql(Box::new(options)),
        place,
        // Each server reads its own part: MariaDB the comment with M, MySQL the
        // one with a version that MariaDB passes over.
        setup: format!(
            "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES'), \
             innodb_lock_wait_timeout = {lock} \
             /*M!100300 , max_statement_time = {seconds}, idle_transaction_timeout = {idle} */ \
             /*!80000 , max_execution_time = {millis}, wait_timeout = {wait} */; \
             SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
            lock = (limit / 2).as_secs().max(1),
            seconds = limit.as_secs_f64(),
            millis = limit.as_millis(),
            wait = idle.max(15),
        ),
        optional_setup: String::new(),
        is_disposable: true,
    })
}

/// What an error means, if it is one of MySQL's.
pub(super) fn meaning(error: &dyn DatabaseError) -> Option<Meaning> {
    let error = error.try_downcast_ref::<MySqlDatabaseError>()?;
    Some(match error.number() {
        1062 | 1169 | 1586 => Meaning::Taken,
        // foreign key
        1216 | 1217 | 1451 | 1452
        // record changed since it was read, lock wait timeout, deadlock
        | 1020 | 1205 | 1213 => Meaning::Conflict,
        // not null; out of range, wrong value, too long; raised by a trigger
        1048 | 1264 | 1366 | 1406 | 1644 => Meaning::Refused(described(error)),
        // --read-only, read-only mode, read-only transaction
        1290 | 1792 | 1836 => Meaning::ReadOnly(described(error)),
        // shutting down, killed, idle for too long
        1053 | 1927 | 4031 => Meaning::Lost(described(error)),
        1969 | 3024 => Meaning::Failed(format!(
            "the statement took too long (MySQL {})",
            error.number()
        )),
        _ => Meaning::Failed(described(error)),
    })
}

/// The message where it speaks of connections, permissions, resources or names
/// of the schema; the number alone where it may repeat what was written.
fn described(error: &MySqlDatabaseError) -> String {
    let number = error.number();
    match number {
        1021 | 1040 | 1044 | 1045 | 1049 | 1053 | 1114 | 1146 | 1203 | 1290 | 1317 | 1792
        | 1836 | 1927 | 4031 => format!("{} (MySQL {number})", error.message()),
        _ => format!("MySQL error {number}"),
    }
}
