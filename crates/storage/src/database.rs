//! The [`Store`](countersign_domain::ports::Store) on SQLite, PostgreSQL and
//! MySQL or MariaDB, through sea-orm's entities and sqlx's drivers.
//!
//! `tables` has a file for each table, with its entity and the port that reads
//! and writes it; `connection` is how a statement gets to the database, and
//! what happens when it does not; `group_commit` is how many requests share a
//! commit; `postgres`, `mysql` and `sqlite` say what is different there. Driver
//! errors end here: what leaves is a `StoreError` without a value of a row and
//! without a password in it.

mod backup;
mod cleaning;
mod connection;
mod damaged_rows;
mod dialect;
mod endpoint;
mod error;
mod group_commit;
mod handle;
mod migrations;
mod monotonic;
mod mysql;
mod postgres;
mod settings;
mod sqlite;
mod store;
mod tables;
mod unit_of_work;

pub use backup::BackupError;
pub use connection::PoolReading;
pub use handle::Database;
pub use settings::{ConnectError, DatabaseSettings};
