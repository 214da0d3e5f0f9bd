//! What the service keeps, and where: users, credentials and sessions in a SQL
//! [`database`].

pub mod database;
pub mod ephemeral;

pub use database::{ConnectError, Database, DatabaseSettings};
pub use ephemeral::{InProcess, Redis, RedisSettings};
