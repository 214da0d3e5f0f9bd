//! From a driver's error to the port's, without a value of a row or a password.

use countersign_domain::ports::ExistingUsersError;
use sqlx::mysql::MySqlDatabaseError;
use sqlx::postgres::PgDatabaseError;

/// What a driver's error means.
pub(crate) fn meaning(error: &sqlx::Error) -> ExistingUsersError {
    match error {
        sqlx::Error::Database(error) => {
            let error = error.as_ref();
            if let Some(error) = error.try_downcast_ref::<PgDatabaseError>() {
                of_postgres(error)
            } else if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
                of_mysql(error)
            } else {
                of_sqlite(error.message())
            }
        }
        sqlx::Error::Io(error) => unavailable(error.to_string()),
        sqlx::Error::Tls(error) => unavailable(format!("TLS: {error}")),
        sqlx::Error::PoolTimedOut => unavailable("no connection came free in time"),
        sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
            unavailable("the connection is closed")
        }
        sqlx::Error::Protocol(_) => unavailable("it does not speak its protocol"),
        _ => unavailable("the driver failed"),
    }
}

/// Whether the connection is of no use any more, and another may be.
pub(crate) fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error
            .try_downcast_ref::<PgDatabaseError>()
            .is_some_and(|error| matches!(error.code(), "57P01" | "57P02" | "57P05")),
        _ => false,
    }
}

pub(crate) fn unavailable(reason: impl Into<String>) -> ExistingUsersError {
    ExistingUsersError::Unavailable(reason.into())
}

/// The message where it speaks of connections, permissions or names of the schema;
/// the code alone where it may repeat a value.
fn of_postgres(error: &PgDatabaseError) -> ExistingUsersError {
    let code = error.code();
    match code {
        // Undefined column, table or schema; invalid schema name.
        "42703" | "42P01" | "3F000" => mapping(error.message()),
        "57014" => unavailable("the statement took too long (PostgreSQL 57014)"),
        _ => match code.get(..2) {
            Some("08" | "25" | "28" | "3D" | "42" | "53" | "57" | "58") => {
                unavailable(format!("{} (PostgreSQL {code})", error.message()))
            }
            _ => unavailable(format!("PostgreSQL error {code}")),
        },
    }
}

fn of_mysql(error: &MySqlDatabaseError) -> ExistingUsersError {
    let number = error.number();
    match number {
        // Unknown column, table.
        1054 | 1146 => mapping(error.message()),
        1969 | 3024 => unavailable(format!("the statement took too long (MySQL {number})")),
        1040 | 1044 | 1045 | 1049 | 1053 | 1142 | 1143 | 1203 | 1927 | 4031 => {
            unavailable(format!("{} (MySQL {number})", error.message()))
        }
        _ => unavailable(format!("MySQL error {number}")),
    }
}

fn of_sqlite(message: &str) -> ExistingUsersError {
    match message.starts_with("no such column") || message.starts_with("no such table") {
        true => mapping(message),
        // It speaks of the file: of what is read there, nothing is said.
        false => unavailable(message),
    }
}

pub(crate) fn mapping(message: impl Into<String>) -> ExistingUsersError {
    ExistingUsersError::Mapping(message.into())
}
