//! What a service is told about the connection that a request came over, and what it tells back.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

/// A connection, as each of its requests carries it among its extensions.
#[derive(Debug, Clone)]
pub struct ConnectionInfo {
    peer: SocketAddr,
    permitted_calls: PermittedCalls,
}

/// How many calls of a connection were permitted since they were last taken.
#[derive(Debug, Clone, Default)]
pub(super) struct PermittedCalls(Arc<AtomicU32>);

impl ConnectionInfo {
    pub(super) fn new(peer: SocketAddr) -> Self {
        Self {
            peer,
            permitted_calls: PermittedCalls::default(),
        }
    }

    /// The other end.
    #[must_use]
    pub fn peer(&self) -> SocketAddr {
        self.peer
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
