//! What may be set about the listening side; the defaults suit a service behind a few gateways.

use std::{
    net::{Ipv4Addr, SocketAddr},
    num::NonZeroUsize,
    path::PathBuf,
    time::Duration,
};

/// How the transport listens and what it allows a connection to cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportConfig {
    /// The address to listen on; port 0 takes any free port.
    pub listen: SocketAddr,
    /// The number of serving threads, each with its own runtime. `None`: as many as the process may run in parallel.
    pub cores: Option<NonZeroUsize>,
    /// TLS from files. `None` serves plaintext.
    pub tls: Option<TlsFiles>,
    /// What may be spoken.
    pub protocols: Protocols,
    /// The time from accept until the TLS handshake is done and the HTTP/2 preface, or the first byte of
    /// HTTP/1.1, is read.
    pub preface_timeout: Duration,
    /// The most connections held at once; one more is closed at once. A quarter of them, or 64, may be
    /// such of which no call was permitted yet.
    pub max_connections: usize,
    /// The most connections held for one IPv4 address or one IPv6 /64, the smallest block that an attacker owns. A
    /// quarter of them, or 64, may be such of which no call was permitted yet.
    pub max_connections_per_ip: usize,
    /// The most calls in flight on one connection (`SETTINGS_MAX_CONCURRENT_STREAMS`).
    pub max_concurrent_streams: u32,
    /// The longest a call may take until its response begins; a shorter `grpc-timeout` of the caller wins.
    pub request_timeout: Duration,
    /// The time between two HTTP/2 PINGs to a connection.
    pub keepalive_interval: Duration,
    /// The time in which a PING must be answered before the connection is closed.
    pub keepalive_timeout: Duration,
    /// The age at which a connection is sent GOAWAY, so that clients spread anew over cores and replicas.
    pub max_connection_age: Option<Duration>,
    /// The most bytes of headers in one request (`SETTINGS_MAX_HEADER_LIST_SIZE`).
    pub max_header_list_size: u32,
}

/// The protocols of a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocols {
    /// HTTP/2 alone, as gRPC needs it.
    Http2,
    /// HTTP/1.1 as well, for browsers and proxies.
    Http1AndHttp2,
}

/// A certificate chain, its key, and whose client certificates are believed, read at start and again whenever the files change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The PEM file with the certificate chain, the server's own certificate first.
    pub certificate: PathBuf,
    /// The PEM file with the unencrypted private key (PKCS#8, PKCS#1 or SEC1).
    pub private_key: PathBuf,
    /// The PEM file with the authorities that vouch for client certificates. With it clients may show one, and
    /// need not.
    pub client_ca: Option<PathBuf>,
}

impl Default for TransportConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 50051)),
            cores: None,
            tls: None,
            protocols: Protocols::Http2,
            preface_timeout: Duration::from_secs(10),
            max_connections: 10_000,
            max_connections_per_ip: 1_000,
            max_concurrent_streams: 256,
            request_timeout: Duration::from_secs(30),
            keepalive_interval: Duration::from_secs(30),
            keepalive_timeout: Duration::from_secs(10),
            max_connection_age: Some(Duration::from_secs(30 * 60)),
            max_header_list_size: 16 * 1024,
        }
    }
}

impl Protocols {
    /// Whether HTTP/1.1 is one.
    pub(super) fn have_http1(self) -> bool {
        self == Self::Http1AndHttp2
    }

    /// As TLS names them (ALPN, RFC 7301), the better one first.
    pub(super) fn alpn(self) -> Vec<Vec<u8>> {
        let http2 = b"h2".to_vec();
        match self {
            Self::Http2 => vec![http2],
            Self::Http1AndHttp2 => vec![http2, b"http/1.1".to_vec()],
        }
    }

    /// What the threads that serve are called, followed by a number.
    pub(super) fn thread_name(self) -> &'static str {
        match self {
            Self::Http2 => "grpc",
            Self::Http1AndHttp2 => "http",
        }
    }
}
