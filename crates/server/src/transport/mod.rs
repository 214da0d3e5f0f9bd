//! The gRPC transport: sockets, TLS and HTTP/2, served by one single-threaded runtime per core.

mod acceptor;
mod admission;
mod bound;
mod certificates;
mod config;
mod connection;
mod core_server;
mod error;
mod handshake;
mod running;
mod timers;
mod worker;

#[cfg(test)]
mod probe;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tls_tests;

pub use bound::Transport;
pub use config::{TlsFiles, TransportConfig};
pub use core_server::GrpcService;
pub use error::TransportError;
pub use running::{DrainReport, Running, ThreadEnded};
