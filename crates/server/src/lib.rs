//! The Countersign server: the services over the domain, callers and
//! their roles, configuration, background jobs, and the `countersign` command.

mod announcement;
mod attributes;
pub mod cli;
pub mod config;
pub mod data_dir;
mod descriptors;
mod feed_reader;
pub mod gateway;
mod grpc;
mod health;
mod health_list;
mod health_service;
mod jobs;
pub mod logging;
mod metrics;
mod metrics_server;
mod notifications;
mod readings;
mod rfc3339;
mod senders;
pub mod serve;
mod serve_error;
mod signals;
mod status;
pub mod system;
mod traces;
mod wiring;
