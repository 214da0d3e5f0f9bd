//! What the service keeps, and where: users, credentials and sessions in a SQL
//! [`database`].

pub mod database;

pub use database::{ConnectError, Database, DatabaseSettings};
