//! How many calls of health and reflection there may be at once: they need no
//! key, and whoever does not read their answers holds them for as long as he
//! likes.

use std::sync::Arc;

use countersign_transport::{ConnectionInfo, UnpermittedCall};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// On one connection: a probe has one at a time, and a client watches a service
/// or two.
const ON_A_CONNECTION: u32 = 8;

/// Of reflection, on all connections: its answers are large, and only people ask.
const REFLECTIONS: usize = 64;

const REFLECTION: &str = "/grpc.reflection.";

/// Counts the calls that need no key.
#[derive(Debug, Clone)]
pub(crate) struct OpenCalls {
    reflections: Arc<Semaphore>,
}

/// The place of a call among those that there may be.
pub(crate) struct Place {
    _on_connection: Option<UnpermittedCall>,
    _reflection: Option<OwnedSemaphorePermit>,
}

impl OpenCalls {
    pub(crate) fn new() -> Self {
        Self {
            reflections: Arc::new(Semaphore::new(REFLECTIONS)),
        }
    }

    /// A place for a call; `None` if there are too many.
    pub(crate) fn begin(&self, path: &str, connection: Option<&ConnectionInfo>) -> Option<Place> {
        let on_connection = match connection {
            Some(connection) => Some(connection.begin_unpermitted_call(ON_A_CONNECTION)?),
            None => None,
        };
        let reflection = if path.starts_with(REFLECTION) {
            let permit = Arc::clone(&self.reflections).try_acquire_owned();
            Some(permit.ok()?)
        } else {
            None
        };
        Some(Place {
            _on_connection: on_connection,
            _reflection: reflection,
        })
    }
}
