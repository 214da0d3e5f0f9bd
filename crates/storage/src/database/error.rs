//! From a driver's error to the domain's. Only messages that cannot hold a
//! value of a row are passed on; of the others the code is.

use countersign_domain::ports::StoreError;
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};
use sqlx::error::DatabaseError;
use sqlx::mysql::MySqlDatabaseError;
use sqlx::postgres::PgDatabaseError;

/// What an error of a statement means.
pub(super) fn store_error(error: &DbErr) -> StoreError {
    match error {
        DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) => unavailable("no connection came free"),
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => {
            if is_taken(error) {
                StoreError::Taken
            } else if is_conflict(error) {
                StoreError::Conflict
            } else {
                unavailable(&reason(error))
            }
        }
        _ => unavailable("the statement could not be carried out"),
    }
}

/// Why a connection cannot be had or kept, without a value or a password.
pub(super) fn reason(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => described(error.as_ref()),
        sqlx::Error::Io(error) => error.to_string(),
        sqlx::Error::Tls(error) => format!("TLS: {error}"),
        sqlx::Error::PoolTimedOut => "no connection came free".into(),
        sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => "the connection is closed".into(),
        sqlx::Error::Protocol(_) => "it does not speak its protocol".into(),
        _ => "the driver failed".into(),
    }
}

pub(super) fn unavailable(reason: &str) -> StoreError {
    StoreError::Unavailable(reason.to_owned())
}

/// Whether a database says that a value which exists once is taken.
fn is_taken(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(DatabaseError::is_unique_violation)
}

/// Whether a database says that it did nothing because of somebody else.
pub(super) fn is_conflict(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => lost_a_race(error.as_ref()),
        _ => false,
    }
}

/// Whether a row that is pointed at is gone, or another transaction was faster.
/// In each case nothing was changed.
fn lost_a_race(error: &dyn DatabaseError) -> bool {
    if let Some(error) = error.try_downcast_ref::<PgDatabaseError>() {
        // foreign key; serialization failure, deadlock; lock not available
        return matches!(error.code(), "23503" | "40001" | "40P01" | "55P03");
    }
    if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
        return matches!(
            error.number(),
            // foreign key
            1216 | 1217 | 1451 | 1452
            // record changed since it was read, lock wait timeout, deadlock
            | 1020 | 1205 | 1213
        );
    }
    // Extended result codes of SQLite: the low byte is 5 for BUSY, 6 for LOCKED.
    match sqlite_code(error) {
        // foreign key
        787 => true,
        code => matches!(code & 0xff, 5 | 6),
    }
}

/// The message where it speaks of connections, permissions, resources or names
/// of the schema; the code alone where it may repeat what was written.
fn described(error: &dyn DatabaseError) -> String {
    if let Some(error) = error.try_downcast_ref::<PgDatabaseError>() {
        let code = error.code();
        return match code.get(..2) {
            Some("08" | "25" | "28" | "3D" | "42" | "53" | "57" | "58") => {
                format!("{} (PostgreSQL {code})", error.message())
            }
            _ => format!("PostgreSQL error {code}"),
        };
    }
    if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
        let number = error.number();
        return match number {
            1021 | 1040 | 1044 | 1045 | 1049 | 1053 | 1114 | 1146 | 1203 | 1290 | 1317 | 1836
            | 1927 => format!("{} (MySQL {number})", error.message()),
            _ => format!("MySQL error {number}"),
        };
    }
    match sqlite_code(error) {
        // Constraints are the only ones that could say more than names.
        code if code & 0xff == 19 => format!("SQLite error {code}"),
        code => format!("{} (SQLite {code})", error.message()),
    }
}

fn sqlite_code(error: &dyn DatabaseError) -> u32 {
    error.code().and_then(|code| code.parse().ok()).unwrap_or(0)
}
