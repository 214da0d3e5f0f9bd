//! The flags of commands that call a server.

use std::path::PathBuf;

use clap::Args;
use secrecy::SecretString;

use super::channel::{Tls, Trust};

#[derive(Debug, Args)]
pub(super) struct ServerArguments {
    /// Host and port of the server
    #[arg(
        long,
        value_name = "HOST:PORT",
        default_value = "localhost:50051",
        help_heading = "Server"
    )]
    pub(super) addr: String,
    /// API key of a caller with the roles that the command needs [environment variable:
    /// COUNTERSIGN_API_KEY]
    #[arg(long, value_name = "KEY", help_heading = "Server")]
    pub(super) api_key: Option<SecretString>,
    /// Speak TLS, and trust the certification authorities of this machine
    #[arg(long, help_heading = "Server")]
    pub(super) tls: bool,
    /// Speak TLS, and trust the certification authority in this PEM file
    #[arg(long, value_name = "FILE", help_heading = "Server")]
    pub(super) tls_ca: Option<PathBuf>,
    /// Name in the server's certificate, if it is not that of --addr
    #[arg(long, value_name = "NAME", help_heading = "Server")]
    pub(super) tls_server_name: Option<String>,
}

impl ServerArguments {
    /// How the server proves that it is the right one, if TLS is spoken.
    pub(super) fn tls(&self) -> Option<Tls> {
        let is_spoken = self.tls || self.tls_ca.is_some() || self.tls_server_name.is_some();
        is_spoken.then(|| Tls {
            trust: self.tls_ca.clone().map_or(Trust::Machine, Trust::File),
            server_name: self.tls_server_name.clone(),
            identity: None,
        })
    }
}
