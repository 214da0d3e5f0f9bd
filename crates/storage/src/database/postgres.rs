//! PostgreSQL, and what speaks its protocol.
//!
//! Caveats:
//! - sqlx offers no TCP keepalive and no user timeout on the client's side. A
//!   network that swallows packets is noticed by the application: each statement
//!   has a time limit, and idle connections are tested every few seconds. The
//!   server is asked for both on its side, so that it lets go of our locks.
//! - Three connections are held outside the pool's count, for batches of
//!   reads, rotations and messages.
//! - A transaction that is idle for twice the time of a statement is ended by
//!   the server: a process that was stopped in the middle of a unit of work
//!   cannot commit it when it goes on.
//! - Behind a pooler in transaction mode the settings of the session may not
//!   hold, and prepared statements need `?statement-cache-capacity=0`.
//! - A server in recovery, or with `default_transaction_read_only`, takes no
//!   writes: connections to it are replaced until one leads to a server that
//!   does.

use std::time::Duration;

use sea_orm::DbBackend;
use secrecy::ExposeSecret as _;
use sqlx::ConnectOptions as _;
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgConnectOptions, PgDatabaseError};

use super::dialect::{BatchedDeletes, Dialect, Meaning, Rotations};
use super::endpoint::{DriverOptions, Endpoint};
use super::settings::{ConnectError, DatabaseSettings};

pub(super) const DIALECT: Dialect = Dialect {
    backend: DbBackend::Postgres,
    is_remote: true,
    now_millis: "FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint",
    begin: "BEGIN",
    select_read_only: "SELECT (pg_is_in_recovery() \
                       OR current_setting('transaction_read_only') = 'on')::int::bigint",
    select_schema_versions: "SELECT 1::bigint WHERE to_regclass('schema_versions') IS NOT NULL",
    pins_connections: true,
    identifier_bytes: "value COLLATE \"C\"",
    equals_by_range: false,
    batched_deletes: BatchedDeletes::SubselectUnlocked,
    rotations: Rotations::Set,
};

/// Where the database is, and what a new connection begins with.
pub(super) fn endpoint(settings: &DatabaseSettings) -> Result<Endpoint, ConnectError> {
    let options: PgConnectOptions = settings.url.expose_secret().parse().map_err(|_| {
        ConnectError::Url(
            "PostgreSQL",
            "it must look like postgres://user@host:5432/name",
        )
    })?;
    let place = format!(
        "the PostgreSQL database {} at {}:{}",
        options.get_database().unwrap_or(options.get_username()),
        options.get_host(),
        options.get_port(),
    );
    let limit = settings.statement_limit();
    Ok(Endpoint {
        dialect: &DIALECT,
        options: DriverOptions::Postgres(Box::new(options.disable_statement_logging())),
        place,
        // SET, because connection poolers refuse parameters in the startup
        // message.
        setup: format!(
            "SET statement_timeout = {}; SET lock_timeout = {}; \
             SET idle_in_transaction_session_timeout = {}",
            limit.as_millis(),
            (limit / 2).as_millis(),
            (limit * 2).as_millis(),
        ),
        optional_setup: format!(
            "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; \
             SET tcp_keepalives_count = 3; SET tcp_user_timeout = {}",
            (limit * 2).max(Duration::from_secs(5)).as_millis(),
        ),
        is_disposable: true,
    })
}

/// What an error means, if it is one of PostgreSQL's.
pub(super) fn meaning(error: &dyn DatabaseError) -> Option<Meaning> {
    let error = error.try_downcast_ref::<PgDatabaseError>()?;
    let code = error.code();
    Some(match code {
        "23505" => Meaning::Taken,
        // foreign key; serialization failure, deadlock; lock not available
        "23503" | "40001" | "40P01" | "55P03" => Meaning::Conflict,
        "25006" => Meaning::ReadOnly(described(error)),
        // idle in a transaction for too long
        "25P03" => Meaning::Lost(described(error)),
        // cancelled: by us, after the time of a statement
        "57014" => Meaning::Failed("the statement took too long (PostgreSQL 57014)".into()),
        _ => match code.get(..2) {
            // connection exception, operator intervention, system error
            Some("08" | "57" | "58") => Meaning::Lost(described(error)),
            // data exception, integrity constraint; raised by a trigger; data
            // or index corrupted
            Some("22" | "23" | "P0" | "XX") => Meaning::Refused(described(error)),
            _ => Meaning::Failed(described(error)),
        },
    })
}

/// The message where it speaks of connections, permissions, resources or names
/// of the schema; the code alone where it may repeat what was written.
fn described(error: &PgDatabaseError) -> String {
    let code = error.code();
    match code.get(..2) {
        Some("08" | "25" | "28" | "3D" | "42" | "53" | "57" | "58") => {
            format!("{} (PostgreSQL {code})", error.message())
        }
        _ => format!("PostgreSQL error {code}"),
    }
}
