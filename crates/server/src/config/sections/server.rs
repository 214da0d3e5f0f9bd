//! The section `[server]`.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use countersign_transport::{TlsFiles, TransportConfig};
use serde::{Deserialize, Serialize};

use crate::config::checks::Checks;
use crate::config::serde_formats::{address, duration};

/// `[server]`: listening, and what a connection may cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// The address of gRPC.
    #[serde(with = "address")]
    pub listen: SocketAddr,
    /// The PEM file with the certificate chain; with it and its key the server
    /// speaks TLS.
    pub tls_certificate: Option<PathBuf>,
    /// The PEM file with the private key.
    pub tls_private_key: Option<PathBuf>,
    /// The PEM file with the authorities that vouch for client certificates, by
    /// which callers may prove themselves.
    pub tls_client_ca: Option<PathBuf>,
    /// Serving threads; 0: one for each core.
    pub cores: usize,
    /// The longest a call may take.
    #[serde(with = "duration")]
    pub request_timeout: Duration,
    /// How long health says NOT_SERVING before connections are closed, so that
    /// no new call arrives.
    #[serde(with = "duration")]
    pub drain_delay: Duration,
    /// How long calls in flight may take to finish after that.
    #[serde(with = "duration")]
    pub drain_timeout: Duration,
    /// How long a new connection may take to say anything sensible.
    #[serde(with = "duration")]
    pub preface_timeout: Duration,
    /// Connections at once.
    pub max_connections: usize,
    /// Connections at once from one IPv4 address or IPv6 /64.
    pub max_connections_per_ip: usize,
    /// Calls in flight on one connection.
    pub max_concurrent_streams: u32,
    /// The age at which a connection is renewed; 0s: never.
    #[serde(with = "duration")]
    pub max_connection_age: Duration,
    /// The time between two HTTP/2 PINGs to a connection.
    #[serde(with = "duration")]
    pub keepalive_interval: Duration,
    /// The time in which a PING must be answered.
    #[serde(with = "duration")]
    pub keepalive_timeout: Duration,
}

impl Default for ServerConfig {
    fn default() -> Self {
        let transport = TransportConfig::default();
        Self {
            listen: transport.listen,
            tls_certificate: None,
            tls_private_key: None,
            tls_client_ca: None,
            cores: 0,
            request_timeout: transport.request_timeout,
            drain_delay: Duration::from_secs(2),
            drain_timeout: Duration::from_secs(25),
            preface_timeout: transport.preface_timeout,
            max_connections: transport.max_connections,
            max_connections_per_ip: transport.max_connections_per_ip,
            max_concurrent_streams: transport.max_concurrent_streams,
            max_connection_age: transport.max_connection_age.unwrap_or_default(),
            keepalive_interval: transport.keepalive_interval,
            keepalive_timeout: transport.keepalive_timeout,
        }
    }
}

impl ServerConfig {
    /// The settings of the transport.
    #[must_use]
    pub fn transport(&self) -> TransportConfig {
        let files = self
            .tls_certificate
            .clone()
            .zip(self.tls_private_key.clone());
        TransportConfig {
            listen: self.listen,
            cores: NonZeroUsize::new(self.cores),
            tls: files.map(|(certificate, private_key)| TlsFiles {
                certificate,
                private_key,
                client_ca: self.tls_client_ca.clone(),
            }),
            preface_timeout: self.preface_timeout,
            max_connections: self.max_connections,
            max_connections_per_ip: self.max_connections_per_ip,
            max_concurrent_streams: self.max_concurrent_streams,
            request_timeout: self.request_timeout,
            keepalive_interval: self.keepalive_interval,
            keepalive_timeout: self.keepalive_timeout,
            max_connection_age: Some(self.max_connection_age).filter(|age| !age.is_zero()),
            ..TransportConfig::default()
        }
    }

    pub(in crate::config) fn check(&self, checks: &mut Checks) {
        let seconds = Duration::from_secs;
        for (key, file) in [
            ("server.tls_certificate", &self.tls_certificate),
            ("server.tls_private_key", &self.tls_private_key),
            ("server.tls_client_ca", &self.tls_client_ca),
        ] {
            // A path that is missing where it was to come from must not mean plaintext.
            let is_named = file
                .as_ref()
                .is_none_or(|file| !file.as_os_str().is_empty());
            checks.that(
                key,
                is_named,
                "must be the path of a PEM file; leave it out for none",
            );
        }
        checks.within("server.cores", self.cores, 0..=1_024);
        checks.lasts(
            "server.request_timeout",
            self.request_timeout,
            seconds(1)..=seconds(600),
        );
        checks.lasts(
            "server.drain_delay",
            self.drain_delay,
            Duration::ZERO..=seconds(300),
        );
        checks.lasts(
            "server.drain_timeout",
            self.drain_timeout,
            Duration::ZERO..=seconds(3600),
        );
        let least = Duration::from_millis(100);
        checks.lasts(
            "server.preface_timeout",
            self.preface_timeout,
            least..=seconds(300),
        );
        checks.within(
            "server.max_connections",
            self.max_connections,
            1..=1_000_000,
        );
        checks.within(
            "server.max_connections_per_ip",
            self.max_connections_per_ip,
            1..=1_000_000,
        );
        checks.within(
            "server.max_concurrent_streams",
            self.max_concurrent_streams,
            1..=1_000_000,
        );
        if !self.max_connection_age.is_zero() {
            let age = self.max_connection_age;
            checks.that(
                "server.max_connection_age",
                (seconds(1)..=seconds(365 * 86_400)).contains(&age),
                "must be 1s to 365d, or 0s for no limit",
            );
        }
        checks.lasts(
            "server.keepalive_interval",
            self.keepalive_interval,
            seconds(1)..=seconds(86_400),
        );
        checks.lasts(
            "server.keepalive_timeout",
            self.keepalive_timeout,
            seconds(1)..=seconds(600),
        );
    }
}
