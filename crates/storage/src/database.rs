//! The [`Store`](countersign_domain::ports::Store) on SQLite, PostgreSQL and
//! MySQL or MariaDB, through sea-orm's statement builder and sqlx's pools.
//!
//! Each table has one file, which holds the statements of the store and of the
//! unit of work alike. Driver errors end here: what leaves is a `StoreError`
//! without a value of a row and without a password in it.

mod batches;
mod callers;
mod cleaning;
mod connection;
mod credentials;
mod error;
mod identifiers;
mod line;
mod lost_connections;
mod migrations;
mod pools;
mod reopening;
mod revocations;
mod rotations;
mod row;
mod sessions;
mod settings;
mod signing_keys;
mod store;
mod tables;
mod unit_of_work;
mod users;

pub use settings::{ConnectError, DatabaseSettings};
pub use store::Database;
