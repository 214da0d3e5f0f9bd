//! The `countersign` command: serving, and what operators do beside it.

mod arguments;
mod audit;
mod audit_arguments;
mod audit_rows;
mod audit_seen;
mod backup;
mod caller_sans;
mod callers;
mod channel;
mod config_check;
mod entry;
mod exit_code;
mod failure;
mod group_arguments;
mod group_attributes;
mod group_rows;
mod groups;
mod healthcheck;
mod import;
mod import_arguments;
mod keys;
mod legacy;
mod message;
mod migrate;
mod open;
mod output;
mod probe_arguments;
mod server_arguments;
mod server_client;
mod service_account_arguments;
mod service_account_rows;
mod service_accounts;
mod shell_integration;
mod table;
mod token_arguments;
mod token_validate;
mod tokens;
mod try_client;
mod try_command;
mod try_factors;
mod try_sign_in;
mod try_transcript;
mod user_arguments;
mod user_rows;
mod user_sessions;
mod users;
mod words;

#[cfg(test)]
mod tests;

pub use entry::main;
