//! The tables, and bringing them up to date.
//!
//! To change the tables, add a file and put it at the end of the list in
//! `list.rs`; never touch one that was released. Each step must be repeatable:
//! MySQL commits after each change of a table, and a process may die between
//! two of them.

mod list;
mod m0001_create_tables;
mod m0002_create_caller_keys;
mod m0003_create_caller_sans;
mod m0004_create_factors;
mod m0005_add_passkeys;
mod m0006_create_devices;
mod m0007_add_authentication_times;
mod m0008_create_identifier_undos;
mod m0009_index_outbox_by_kind;
mod m0010_add_enrolling_authentications;
mod m0011_add_user_profiles;
mod m0012_create_groups;
mod m0013_create_service_accounts;
mod m0014_create_audit_events;
mod m0015_create_federated_identities;
mod runner;
mod schema_versions;
mod step;

pub(super) use runner::{migrate, pending};
