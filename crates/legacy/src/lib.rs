//! The users of an existing database, read from one table on PostgreSQL, MySQL,
//! MariaDB or SQLite. Nothing here writes.
//!
//! `settings` says which table and columns; `mapping` looks once what these are;
//! `statements` asks, and has every column read as text by the database, so that
//! `row` and `cell` judge types in one place; `breaker` leaves a database alone
//! that does not answer. Driver errors end here.

mod breaker;
mod cell;
mod connection;
mod driver;
mod error;
mod limits;
mod mapping;
mod mysql;
mod postgres;
mod row;
mod settings;
mod sql_users;
mod sqlite;
mod statements;
mod table;

pub use cell::{time as read_time, truth as read_truth};
pub use settings::{Columns, LegacySettings, SettingsError};
pub use sql_users::SqlUsers;
