//! The transport: how bytes become calls. Sockets, TLS and HTTP/2, served by one single-threaded runtime per core.

mod acceptor;
mod admission;
mod certificates;
mod config;
mod connection;
mod connection_info;
mod core_server;
mod error;
mod frame_meter;
mod handshake;
mod listener;
mod server_handle;
mod timers;
mod unfit_certificate;
mod worker;
mod x509;

#[cfg(test)]
mod client_certificate_tests;
#[cfg(test)]
mod probe;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tls_tests;

pub use certificates::check_tls_files;
pub use config::{Protocols, TlsFiles, TransportConfig};
pub use connection_info::{ConnectionInfo, UnpermittedCall};
pub use core_server::GrpcService;
pub use error::TransportError;
pub use listener::Listener;
pub use server_handle::{DrainReport, ServerHandle, ThreadEnded};
pub use unfit_certificate::UnfitCertificate;
pub use x509::PeerCertificate;
