//! The `countersign` command: serving, and what operators do beside it.

mod arguments;
mod backup;
mod callers;
mod channel;
mod entry;
mod failure;
mod healthcheck;
mod keys;
mod migrate;
mod open;
mod probe_arguments;
mod table;
mod walk;
mod walk_transcript;
mod walker;

#[cfg(test)]
mod tests;

pub use entry::main;
