//! From a driver's error to the domain's. Only messages that cannot hold a
//! value of a row are passed on; of the others the code is.

use std::io::ErrorKind;

use countersign_domain::ports::StoreError;
use sea_orm::{DbErr, RuntimeErr};

use super::dialect::Meaning;
use super::{mysql, postgres, sqlite};

/// What is said of a connection that ends before anything is answered: TLS may be
/// wanted, or the port another's.
const CLOSED: &str = "it closed the connection without an answer";

/// What is said of one that ends within an answer, or what is taken for one.
const CUT: &str = "it closed the connection in the middle of an answer";

/// What a driver's error means.
pub(super) fn meaning(error: &sqlx::Error) -> Meaning {
    match error {
        sqlx::Error::Database(error) => postgres::meaning(error.as_ref())
            .or_else(|| mysql::meaning(error.as_ref()))
            .unwrap_or_else(|| sqlite::meaning(error.as_ref())),
        sqlx::Error::Io(error) if error.kind() == ErrorKind::UnexpectedEof => {
            let has_answered = !error.to_string().ends_with(" got 0 bytes at EOF");
            Meaning::Lost(if has_answered { CUT } else { CLOSED }.into())
        }
        sqlx::Error::Io(error) => Meaning::Lost(error.to_string()),
        sqlx::Error::Tls(error) => Meaning::Lost(format!("TLS: {error}")),
        sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
            Meaning::Lost("the connection is closed".into())
        }
        // The driver takes the end of the connection for an answer of nought.
        sqlx::Error::Protocol(said) if said.contains("from SSLRequest: 0x00 ") => {
            Meaning::Lost(CLOSED.into())
        }
        sqlx::Error::Protocol(_) => Meaning::Lost("it does not speak its protocol".into()),
        _ => Meaning::Failed("the driver failed".into()),
    }
}

/// What an error of a statement means to the domain.
pub(super) fn store_error(error: DbErr) -> StoreError {
    match error {
        DbErr::Conn(RuntimeErr::Internal(reason)) | DbErr::Query(RuntimeErr::Internal(reason)) => {
            StoreError::Unavailable(reason)
        }
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => match meaning(&error) {
            Meaning::Taken => StoreError::Taken,
            Meaning::Conflict => StoreError::Conflict,
            Meaning::Refused(reason)
            | Meaning::ReadOnly(reason)
            | Meaning::Lost(reason)
            | Meaning::Failed(reason) => StoreError::Unavailable(reason),
        },
        _ => unavailable("the statement could not be carried out"),
    }
}

/// What an error of a statement that changes something by itself means: whether
/// the change may have been made.
pub(super) fn change_error(error: DbErr) -> StoreError {
    let is_certain = match &error {
        // It did not get as far as a connection.
        DbErr::Conn(_) => true,
        // One that the database answered with ends the statement.
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => {
            let is_answer = matches!(**error, sqlx::Error::Database(_));
            is_answer && !matches!(meaning(error), Meaning::Lost(_))
        }
        _ => false,
    };
    match store_error(error) {
        StoreError::Unavailable(reason) if !is_certain => StoreError::Uncertain(reason),
        error => error,
    }
}

/// Why a connection cannot be had, without a value or a password.
pub(super) fn reason(error: &sqlx::Error) -> String {
    match meaning(error) {
        Meaning::Taken => "the database is in use".into(),
        Meaning::Conflict => "the database is locked".into(),
        Meaning::Refused(reason)
        | Meaning::ReadOnly(reason)
        | Meaning::Lost(reason)
        | Meaning::Failed(reason) => reason,
    }
}

/// Whether a statement about several rows failed because of one of them, and
/// nothing was changed.
pub(super) fn is_about_a_row(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) =
        error
    else {
        return false;
    };
    matches!(
        meaning(error),
        Meaning::Taken | Meaning::Conflict | Meaning::Refused(_)
    )
}

/// The error of a statement that was sent and not answered in time.
pub(super) fn overdue() -> DbErr {
    DbErr::Query(RuntimeErr::Internal("it did not answer in time".into()))
}

/// An error that says why a statement was not sent, in words of our own.
pub(super) fn no_answer(reason: impl Into<String>) -> DbErr {
    DbErr::Conn(RuntimeErr::Internal(reason.into()))
}

pub(super) fn unavailable(reason: &str) -> StoreError {
    StoreError::Unavailable(reason.to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn of_driver(error: sqlx::Error) -> DbErr {
        DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
    }

    #[test]
    fn a_change_that_was_sent_and_not_answered_may_have_been_made() {
        let cut = || std::io::Error::from(ErrorKind::ConnectionReset);
        for uncertain in [
            overdue(),
            of_driver(sqlx::Error::Io(cut())),
            of_driver(sqlx::Error::WorkerCrashed),
            DbErr::RecordNotUpdated,
        ] {
            let said = uncertain.to_string();
            let error = change_error(uncertain);
            assert!(matches!(error, StoreError::Uncertain(_)), "{said}");
        }
        let error = change_error(no_answer("no connection came free"));
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
        // Of a unit of work nothing is left without its commit.
        let error = store_error(overdue());
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    }
}
