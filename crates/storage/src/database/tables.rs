//! The tables. Each file has one: its entity, how its rows become the domain's
//! values, and the port that reads and writes it.

pub(super) mod attempts_of_nobody;
pub(super) mod audit_events;
mod audit_list;
mod caller_key_uses;
mod caller_keys;
mod caller_sans;
pub(super) mod callers;
pub(super) mod credentials;
pub(super) mod devices;
mod factor_credentials;
mod factors;
mod federated_identities;
mod groups;
pub(super) mod heartbeat;
pub(super) mod identifier_undos;
mod identifiers;
mod many_rows;
mod many_users;
pub(super) mod outbox;
mod recovery_codes;
pub(super) mod revocations;
mod rows;
mod service_account_credentials;
mod service_accounts;
pub(super) mod sessions;
pub(super) mod sessions_with_users;
pub(super) mod signing_keys;
pub(super) mod tombstones;
mod user_list;
mod user_roles;
mod user_states;
pub(super) mod users;
