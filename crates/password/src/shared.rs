//! What the threads and the pool have in common.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign_domain::ports::{HashError, Random};

use crate::backlog::LATE_TICKS;
use crate::job::{Job, Stored};
use crate::parameters::Argon2Parameters;
use crate::queue::Queue;
use crate::refusals::Refusals;
use crate::stored_hash::Argon2Hash;

/// After how many times its time a job is late: when its thread has less than
/// this part of a core.
const LATE_AFTER: u32 = 16;

/// The shortest tick: to look more often would be work of its own.
const MIN_TICK: Duration = Duration::from_millis(10);

/// What the threads and the pool have in common.
pub(crate) struct Shared {
    pub(crate) parameters: Argon2Parameters,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) queue: Arc<Queue<Arc<Job>>>,
    pub(crate) decoy: Argon2Hash,
    pub(crate) refusals: Refusals,
    /// Held while a hash works in more memory than a thread owns, so that only
    /// one at a time does, and one more where it is late.
    pub(crate) large: Mutex<()>,
    /// How many passwords are being hashed.
    pub(crate) running: AtomicUsize,
    /// How many passwords found no place in the queue.
    pub(crate) shed: AtomicU64,
    /// How many passwords were hashed or compared.
    pub(crate) hashes: AtomicU64,
    /// How many of them were late.
    pub(crate) relieved: AtomicU64,
    /// How many blocks were computed.
    pub(crate) blocks: AtomicU64,
    /// How long a hash takes, in nanoseconds: a moving average.
    pub(crate) hash_nanos: AtomicU64,
    /// How long a new hash takes on a core of its own, likewise.
    pub(crate) hash_cpu_nanos: AtomicU64,
}

impl Shared {
    pub(crate) fn count(&self, blocks: u64) {
        self.blocks.fetch_add(blocks, Ordering::Relaxed);
    }

    /// How often is looked for late jobs.
    pub(crate) fn tick(&self) -> Duration {
        let hash = Duration::from_nanos(self.hash_cpu_nanos.load(Ordering::Relaxed));
        hash.saturating_mul(LATE_AFTER / LATE_TICKS).max(MIN_TICK)
    }

    /// How many times as long as a new hash a comparison takes, about.
    pub(crate) fn weight(&self, stored: &Stored, password: usize) -> u32 {
        let Stored::Hash(hash) = stored else {
            return 1;
        };
        let new = self.decoy.kind.estimate(password);
        let weight = hash.kind().estimate(password).div_ceil(new);
        u32::try_from(weight).unwrap_or(u32::MAX).max(1)
    }

    /// Counts what found no place.
    pub(crate) fn shed(&self) -> HashError {
        self.shed.fetch_add(1, Ordering::Relaxed);
        let rounds = self.queue.taken() / self.queue.threads() + 1;
        let hash_time = Duration::from_nanos(self.hash_nanos.load(Ordering::Relaxed));
        HashError::Overloaded {
            retry_after: hash_time.saturating_mul(u32::try_from(rounds).unwrap_or(u32::MAX)),
        }
    }
}
