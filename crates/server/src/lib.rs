//! The Countersign server: the gRPC transport over the domain, callers and
//! their roles, configuration, background jobs, and the `countersign` command.

mod grpc;
mod health;
mod jobs;
mod metrics;
mod status;
pub mod config;
pub mod data_dir;
pub mod logging;
pub mod system;
pub mod transport;
