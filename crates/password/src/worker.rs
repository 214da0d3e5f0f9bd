//! A hashing thread: it owns its memory and does one job after another.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use argon2::Block;
use argon2::password_hash::phc::Output;
use countersign_domain::model::{Password, PasswordHash};
use countersign_domain::ports::{HashError, Random, Verdict};
use tokio::sync::oneshot;

use crate::memory::{Memory, State};
use crate::padding::{Kind, Padding};
use crate::parameters::Argon2Parameters;
use crate::queue::{Next, Queue};
use crate::stored_hash::{StoredHash, new_salt, to_phc};

/// After this pause a thread wipes its memory. Wiping after each hash would cost
/// 3 % of it.
const WIPE_AFTER: Duration = Duration::from_millis(50);

/// After this pause more it gives the memory back. To have it anew costs half a
/// hash.
const RELEASE_AFTER: Duration = Duration::from_secs(10);

/// How much a hashing thread steps back behind others that have work, which is
/// far less of it: the answers to most calls take microseconds, a hash some
/// twenty milliseconds.
const NICENESS: i32 = 10;

/// What is to be done with a password, and where the answer goes.
pub(crate) struct Job {
    pub(crate) password: Password,
    pub(crate) task: Task,
}

pub(crate) enum Task {
    Hash(oneshot::Sender<Result<PasswordHash, HashError>>),
    Verify(
        Option<PasswordHash>,
        oneshot::Sender<Result<Verdict, HashError>>,
    ),
}

/// What the threads and the pool have in common.
pub(crate) struct Shared {
    pub(crate) parameters: Argon2Parameters,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) queue: Arc<Queue<Job>>,
    pub(crate) decoy: StoredHash,
    /// Held while a hash works in more memory than a thread owns, so that only
    /// one at a time does.
    pub(crate) large: Mutex<()>,
    /// How many passwords are being hashed.
    pub(crate) running: AtomicUsize,
    /// How many passwords found no place in the queue.
    pub(crate) shed: AtomicU64,
    /// How many hashes were computed.
    pub(crate) hashes: AtomicU64,
    /// How many blocks were computed.
    pub(crate) blocks: AtomicU64,
    /// How long a hash takes, in nanoseconds: a moving average.
    pub(crate) hash_nanos: AtomicU64,
}

/// One thread's share.
pub(crate) struct Worker {
    shared: Arc<Shared>,
    memory: Memory,
    padding: Padding,
}

impl Job {
    /// Whether somebody still waits for the answer.
    pub(crate) fn is_wanted(&self) -> bool {
        match &self.task {
            Task::Hash(reply) => !reply.is_closed(),
            Task::Verify(_, reply) => !reply.is_closed(),
        }
    }
}

impl Worker {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            padding: Padding::new(shared.parameters),
            shared,
            memory: Memory::default(),
        }
    }

    /// Works until the queue is closed.
    pub(crate) fn run(mut self) {
        // On Linux a thread has a niceness of its own.
        if let Err(error) = rustix::process::nice(NICENESS) {
            tracing::debug!(%error, "hashing threads keep the priority of the others");
        }
        loop {
            let (patience, in_pause): (_, fn(&mut Memory)) = match self.memory.state() {
                State::Used => (Some(WIPE_AFTER), Memory::wipe),
                State::Wiped => (Some(RELEASE_AFTER), Memory::release),
                State::Released => (None, |_| ()),
            };
            match self.shared.queue.next(patience) {
                Next::Job(job) => self.perform(job),
                Next::Idle => in_pause(&mut self.memory),
                Next::Closed => return,
            }
        }
    }

    fn perform(&mut self, job: Job) {
        if !job.is_wanted() {
            return;
        }
        self.shared.running.fetch_add(1, Ordering::Relaxed);
        // The caller of a job that panics learns it by the lost reply.
        let outcome = catch_unwind(AssertUnwindSafe(|| self.answer(job)));
        self.shared.running.fetch_sub(1, Ordering::Relaxed);
        if outcome.is_err() {
            tracing::error!("a hashing job panicked; its thread goes on");
        }
    }

    /// A caller who left meanwhile gets no answer, which is no fault.
    fn answer(&mut self, job: Job) {
        match job.task {
            Task::Hash(reply) => drop(reply.send(self.hash(&job.password))),
            Task::Verify(hash, reply) => {
                drop(reply.send(self.verify(&job.password, hash.as_ref())));
            }
        }
    }

    fn hash(&mut self, password: &Password) -> Result<PasswordHash, HashError> {
        let parameters = self.shared.parameters;
        let new = StoredHash {
            salt: new_salt(self.shared.random.as_ref()),
            ..self.shared.decoy.clone()
        };
        let output = self.compute(password, &new)?;
        Ok(to_phc(parameters, &new.salt, &output))
    }

    /// Whatever is stored, nothing or nonsense included, costs one hash.
    fn verify(
        &mut self,
        password: &Password,
        hash: Option<&PasswordHash>,
    ) -> Result<Verdict, HashError> {
        let parameters = self.shared.parameters;
        let stored = hash.map(|hash| StoredHash::parse(hash, parameters).map(|s| (hash, s)));
        let compared = match &stored {
            Some(Ok((_, stored))) => stored.clone(),
            None | Some(Err(_)) => self.shared.decoy.clone(),
        };
        let output = self.compute(password, &compared)?;
        // `Output` compares in constant time.
        let equal = output == compared.output;
        match stored {
            Some(Ok((phc, stored))) => Ok(Verdict {
                matches: equal,
                outdated: stored.is_outdated(phc, parameters),
            }),
            Some(Err(reason)) => Err(HashError::Failed(reason.into())),
            None => Ok(Verdict {
                matches: false,
                outdated: false,
            }),
        }
    }

    /// Computes what `like` was made with, and what is missing to the cost of a
    /// new hash.
    #[expect(
        clippy::disallowed_methods,
        reason = "measures what a hash costs on this machine, by which another try is advised \
                  and a cheaper hash is padded"
    )]
    fn compute(&mut self, password: &Password, like: &StoredHash) -> Result<Output, HashError> {
        // Memory that is had anew costs half a hash: not to be compared.
        let is_comparable = self.memory.state() != State::Released;
        let started = Instant::now();
        let output = self.fill(password, like);
        let padded = self.pad(like.kind);
        let time = started.elapsed();

        self.shared.hashes.fetch_add(1, Ordering::Relaxed);
        self.shared.note(time);
        self.padding.note(like.kind, is_comparable.then_some(time));
        let failed = |reason: &str| HashError::Failed(reason.into());
        padded.map_err(failed)?;
        output.map_err(failed)
    }

    fn fill(&mut self, password: &Password, like: &StoredHash) -> Result<Output, &'static str> {
        let count = like.argon2.params().block_count();
        let own = self.own_blocks();
        self.shared.count(like.kind.work());
        if count <= own {
            return hash_in(self.memory.blocks(own)?, password, like);
        }
        let _one_at_a_time = self
            .shared
            .large
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        hash_in(Memory::default().blocks(count)?, password, like)
    }

    /// Does the work that a hash of this kind lacks.
    fn pad(&mut self, kind: Kind) -> Result<(), &'static str> {
        let Some(argon2) = self.padding.for_kind(kind) else {
            return Ok(());
        };
        let own = self.own_blocks();
        self.shared
            .count(argon2.params().block_count() as u64 * u64::from(argon2.params().t_cost()));
        argon2
            .fill_memory(b"", &self.shared.decoy.salt, self.memory.blocks(own)?)
            .map_err(|_| "Argon2 refused its input")
    }

    /// How many blocks a new hash takes: as many as the thread owns.
    fn own_blocks(&self) -> usize {
        self.shared.decoy.argon2.params().block_count()
    }
}

impl Shared {
    fn count(&self, blocks: u64) {
        self.blocks.fetch_add(blocks, Ordering::Relaxed);
    }

    /// Takes one hash's time into the average.
    fn note(&self, time: Duration) {
        let time = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let average = self.hash_nanos.load(Ordering::Relaxed);
        let next = (average / 8 * 7).saturating_add(time / 8);
        self.hash_nanos.store(next, Ordering::Relaxed);
    }
}

fn hash_in(
    blocks: &mut [Block],
    password: &Password,
    like: &StoredHash,
) -> Result<Output, &'static str> {
    let mut output = [0; Output::MAX_LENGTH];
    let output = &mut output[..like.output.len()];
    like.argon2
        .hash_password_into_with_memory(password.expose().as_bytes(), &like.salt, output, blocks)
        .map_err(|_| "Argon2 refused its input")?;
    Output::new(output).map_err(|_| "Argon2 gave no output")
}
