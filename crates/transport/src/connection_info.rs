//! What a service is told about the connection that a request came over, and what it tells back.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use super::x509::PeerCertificate;

/// A connection, as each of its requests carries it among its extensions.
#[derive(Debug, Clone)]
pub struct ConnectionInfo {
    peer: SocketAddr,
    certificate: Option<Arc<PeerCertificate>>,
    permitted_calls: PermittedCalls,
}

/// How many calls of a connection were permitted since they were last taken.
#[derive(Debug, Clone, Default)]
pub(super) struct PermittedCalls(Arc<AtomicU32>);

impl ConnectionInfo {
    pub(super) fn new(peer: SocketAddr) -> Self {
        Self {
            peer,
            certificate: None,
            permitted_calls: PermittedCalls::default(),
        }
    }

    /// The connection, of a peer that showed this certificate.
    pub(super) fn of(mut self, certificate: Option<PeerCertificate>) -> Self {
        self.certificate = certificate.map(Arc::new);
        self
    }

    /// The other end.
    #[must_use]
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// The certificate that the other end showed, which an authority of
    /// [`TlsFiles::client_ca`](crate::TlsFiles::client_ca) vouches for.
    #[must_use]
    pub fn certificate(&self) -> Option<&PeerCertificate> {
        self.certificate.as_deref()
    }

    /// Says that a call was permitted. A connection whose calls nobody permits may send little before it is cut off.
    pub fn permit_call(&self) {
        self.permitted_calls.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn permitted_calls(&self) -> PermittedCalls {
        self.permitted_calls.clone()
    }
}

impl PermittedCalls {
    /// Takes them.
    pub(super) fn take(&self) -> u32 {
        self.0.swap(0, Ordering::Relaxed)
    }
}
