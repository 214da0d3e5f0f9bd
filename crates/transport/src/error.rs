//! Why the transport cannot start, in words that say what would be right.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    path::PathBuf,
};

use super::UnfitCertificate;

/// The transport cannot start.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}; {}", listen_advice(.source))]
    Listen {
        /// The configured address.
        address: SocketAddr,
        /// What the operating system answered.
        source: io::Error,
    },
    /// A certificate or key file is missing or unreadable.
    #[error("cannot read the TLS {content} file {}: {source}", path.display())]
    Unreadable {
        /// What the file should hold.
        content: &'static str,
        /// The file.
        path: PathBuf,
        /// What the operating system answered.
        source: io::Error,
    },
    /// A file does not hold what it should in PEM form.
    #[error("the TLS {content} file {} holds no {content} in PEM form; it should contain a block that begins with {expected}", path.display())]
    NotPem {
        /// What the file should hold.
        content: &'static str,
        /// The file.
        path: PathBuf,
        /// The PEM header that is missing or broken.
        expected: &'static str,
    },
    /// A file is PEM, but its content is of no use.
    #[error("the TLS {content} file {} cannot be used: {reason}", path.display())]
    Unusable {
        /// What the file holds.
        content: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// No client would believe the certificate of a file that has changed.
    #[error("the TLS certificate file {} cannot be used: {unfit}", path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        unfit: UnfitCertificate,
    },
    /// The private key is not the one of the first certificate.
    #[error(
        "the private key in {} does not belong to the first certificate in {}; the server's own certificate comes first in its chain",
        private_key.display(),
        certificate.display()
    )]
    KeyMismatch {
        /// The file of the certificate chain.
        certificate: PathBuf,
        /// The file of the private key.
        private_key: PathBuf,
    },
    /// A serving thread or its runtime cannot be created.
    #[error("cannot start the thread {name}: {source}")]
    Thread {
        /// The thread's name.
        name: String,
        /// What the operating system answered.
        source: io::Error,
    },
}

fn listen_advice(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::AddrInUse => "stop the program that listens there, or choose another port",
        ErrorKind::PermissionDenied => {
            "choose a port from 1024 up, or grant the capability CAP_NET_BIND_SERVICE"
        }
        ErrorKind::AddrNotAvailable => {
            "choose an address of this machine, or 0.0.0.0 or [::] for all of them"
        }
        _ => "choose an address and port that this machine can listen on",
    }
}
