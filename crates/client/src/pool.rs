//! Several connections to one endpoint, opened when first needed and renewed
//! in the background: a single one would keep a single core of the server busy
//! and would stay with one replica for ever.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tonic::transport::{Channel, Endpoint, Error};
use tower::ServiceExt as _;

use crate::deadline;

/// The connections of a client, used in turn.
pub(crate) struct Pool {
    endpoint: Endpoint,
    slots: Box<[Mutex<Slot>]>,
    count: u32,
    next: AtomicU32,
    max_age: Duration,
}

/// A connection lent to one try of a call.
pub(crate) struct Lease {
    pub(crate) channel: Channel,
    index: u32,
    generation: u64,
}

#[derive(Default)]
struct Slot {
    open: Option<Open>,
    /// Counts the connections that this slot has had.
    generation: u64,
}

struct Open {
    channel: Channel,
    since: Instant,
}

impl Pool {
    pub(crate) fn new(endpoint: Endpoint, connections: u16, max_age: Duration) -> Self {
        let count = u32::from(connections.max(1));
        Self {
            endpoint,
            slots: (0..count).map(|_| Mutex::default()).collect(),
            count,
            next: AtomicU32::new(0),
            max_age,
        }
    }

    /// The next connection in turn, ready for a call.
    pub(crate) async fn ready(self: &Arc<Self>) -> Result<Lease, Error> {
        let index = self.next.fetch_add(1, Ordering::Relaxed) % self.count;
        let mut lease = self.lease(index);
        if lease.channel.ready().await.is_err() {
            // The runtime that the connection lived in has ended.
            self.discard(&lease);
            lease = self.lease(index);
            lease.channel.ready().await?;
        }
        Ok(lease)
    }

    fn lease(self: &Arc<Self>, index: u32) -> Lease {
        let now = deadline::now();
        let mut slot = self.slot(index);
        let generation = slot.generation;
        let open = slot.open.get_or_insert_with(|| Open {
            channel: self.endpoint.connect_lazy(),
            since: now,
        });
        if now.duration_since(open.since) >= self.age_limit(index) {
            // The old connection serves until the new one is there; counting
            // from now keeps the next caller from renewing it too.
            open.since = now;
            tokio::spawn(Arc::clone(self).renew(index, generation));
        }
        Lease {
            channel: open.channel.clone(),
            index,
            generation,
        }
    }

    /// Closes the connection of a lease that failed, so that the next call
    /// opens a new one. Calls in flight on it are not disturbed.
    pub(crate) fn discard(&self, lease: &Lease) {
        let mut slot = self.slot(lease.index);
        if slot.generation == lease.generation {
            slot.open = None;
            slot.generation += 1;
        }
    }

    async fn renew(self: Arc<Self>, index: u32, generation: u64) {
        match self.endpoint.connect().await {
            Ok(channel) => {
                let mut slot = self.slot(index);
                if slot.generation == generation {
                    slot.open = Some(Open {
                        channel,
                        since: deadline::now(),
                    });
                    slot.generation += 1;
                }
            }
            Err(error) => tracing::debug!(%error, "a connection could not be renewed"),
        }
    }

    /// Between half of the greatest age and all of it, so that connections
    /// opened together are not renewed together.
    fn age_limit(&self, index: u32) -> Duration {
        self.max_age - self.max_age / 2 / self.count * index
    }

    fn slot(&self, index: u32) -> MutexGuard<'_, Slot> {
        self.slots[index as usize]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
