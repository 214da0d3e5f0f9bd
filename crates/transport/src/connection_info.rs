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
    unpermitted_calls: Arc<AtomicU32>,
}

/// A call in flight that nobody permitted, counted until it is dropped.
#[derive(Debug)]
pub struct UnpermittedCall(Arc<AtomicU32>);

/// How many calls of a connection were permitted since they were last taken.
#[derive(Debug, Clone, Default)]
pub(super) struct PermittedCalls(Arc<AtomicU32>);

impl ConnectionInfo {
    pub(super) fn new(peer: SocketAddr) -> Self {
        Self {
            peer,
            certificate: None,
            permitted_calls: PermittedCalls::default(),
            unpermitted_calls: Arc::default(),
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

    /// Counts a call that needs nobody's permission; `None` if the connection has as many as it may already.
    #[must_use]
    pub fn begin_unpermitted_call(&self, most: u32) -> Option<UnpermittedCall> {
        let calls = Arc::clone(&self.unpermitted_calls);
        let counted = UnpermittedCall(calls);
        // What is one too many is given back when it is dropped.
        let before = counted.0.fetch_add(1, Ordering::Relaxed);
        (before < most).then_some(counted)
    }

    pub(super) fn permitted_calls(&self) -> PermittedCalls {
        self.permitted_calls.clone()
    }
}

impl PermittedCalls {
    /// Whether there are any that were not taken.
    pub(super) fn are_some(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }

    /// Takes them.
    pub(super) fn take(&self) -> u32 {
        self.0.swap(0, Ordering::Relaxed)
    }
}

impl Drop for UnpermittedCall {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn calls_that_nobody_permitted_are_counted_while_they_last() {
        let info = ConnectionInfo::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 1)));
        let first = info.begin_unpermitted_call(2).unwrap();
        let second = info.clone().begin_unpermitted_call(2).unwrap();
        for _ in 0..3 {
            assert!(info.begin_unpermitted_call(2).is_none());
        }
        drop(first);
        let third = info.begin_unpermitted_call(2).unwrap();
        assert!(info.begin_unpermitted_call(2).is_none());
        drop((second, third));
        assert_eq!(info.unpermitted_calls.load(Ordering::Relaxed), 0);
    }
}
