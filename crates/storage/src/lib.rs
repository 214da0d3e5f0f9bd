//! What the service keeps, and where: users, credentials and sessions in a SQL
//! [`database`], and what is short-lived in an [`ephemeral`] store.

mod batcher;
pub mod database;
pub mod ephemeral;

pub use database::{BackupError, ConnectError, Database, DatabaseSettings, PoolReading};
pub use ephemeral::{Bounds, Changes, InProcess, Redis, RedisSettings, Subscription};
