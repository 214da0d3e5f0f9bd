//! The store on SQLite, PostgreSQL and MariaDB keeps the laws, and survives what
//! happens to a database.

mod audit_log;
mod batches;
mod damage;
mod damaged_accounts;
mod many_users;
mod mariadb;
mod outages;
mod postgres;
mod proxy;
mod rows;
mod schema;
mod server;
mod sqlite;
#[path = "../support/mod.rs"]
mod support;
