//! A hashing thread: it owns its memory and does one job after another, all that
//! come or those alone that are late.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use argon2::Block;
use argon2::password_hash::phc::Output;
use countersign_domain::model::{Password, PasswordHash};
use countersign_domain::ports::{HashError, Random, Verdict};
use rustix::time::{ClockId, clock_gettime};

use crate::backlog::LATE_TICKS;
use crate::job::{Job, Reply, Task};
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
    pub(crate) decoy: StoredHash,
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

/// Which jobs a thread does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Whatever comes. Such threads are numbered.
    Regular(usize),
    /// What is late: done again, or in place of the others.
    Relief,
}

/// One thread's share.
pub(crate) struct Worker {
    role: Role,
    shared: Arc<Shared>,
    memory: Memory,
    padding: Padding,
}

impl Worker {
    pub(crate) fn new(role: Role, shared: Arc<Shared>) -> Self {
        Self {
            role,
            padding: Padding::new(shared.parameters),
            shared,
            memory: Memory::default(),
        }
    }

    /// Works until the queue is closed.
    pub(crate) fn run(mut self) {
        loop {
            let (patience, in_pause): (_, fn(&mut Memory)) = match self.memory.state() {
                State::Used => (Some(WIPE_AFTER), Memory::wipe),
                State::Wiped => (Some(RELEASE_AFTER), Memory::release),
                State::Released => (None, |_| ()),
            };
            match self.next(patience) {
                Next::Job(job) => self.perform(&job),
                Next::Idle => in_pause(&mut self.memory),
                Next::Closed => return,
            }
        }
    }

    fn next(&self, patience: Option<Duration>) -> Next<Arc<Job>> {
        let queue = &self.shared.queue;
        match self.role {
            Role::Regular(number) => queue.next(number, patience),
            Role::Relief => queue.next_late(self.shared.tick(), patience, |job| self.weight(job)),
        }
    }

    /// How many times as long as a new hash a job takes.
    fn weight(&self, job: &Job) -> u32 {
        let Task::Verify(Some(hash), _) = &job.task else {
            return 1;
        };
        let stored = StoredHash::parse(hash, self.shared.parameters);
        let new = self.shared.decoy.kind.work();
        let weight = stored.map_or(1, |stored| stored.kind.work().div_ceil(new));
        u32::try_from(weight).unwrap_or(u32::MAX)
    }

    fn perform(&mut self, job: &Job) {
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

    fn answer(&mut self, job: &Job) {
        match &job.task {
            Task::Hash(reply) => {
                let hash = self.hash(&job.password);
                self.reply(reply, hash);
            }
            Task::Verify(hash, reply) => {
                let verdict = self.verify(&job.password, hash.as_ref());
                self.reply(reply, verdict);
            }
        }
    }

    /// A caller who left meanwhile gets no answer, which is no fault.
    fn reply<T>(&self, reply: &Reply<T>, answer: Result<T, HashError>) {
        let Some(reply) = reply.take() else {
            return;
        };
        self.shared.hashes.fetch_add(1, Ordering::Relaxed);
        if self.role == Role::Relief {
            self.shared.relieved.fetch_add(1, Ordering::Relaxed);
        }
        drop(reply.send(answer));
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
        let (started, cpu_before) = (Instant::now(), cpu_time());
        let output = self.fill(password, like);
        let padded = self.pad(like.kind);
        let cpu_time = cpu_time().saturating_sub(cpu_before);

        note(&self.shared.hash_nanos, started.elapsed());
        if like.kind.work() <= self.shared.decoy.kind.work() {
            note(&self.shared.hash_cpu_nanos, cpu_time);
        }
        self.padding
            .note(like.kind, is_comparable.then_some(cpu_time));
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
        // The one that has it may be what the relief is late for.
        let _one_at_a_time = matches!(self.role, Role::Regular(_)).then(|| {
            let large = self.shared.large.lock();
            large.unwrap_or_else(PoisonError::into_inner)
        });
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

    /// How often is looked for late jobs.
    fn tick(&self) -> Duration {
        let hash = Duration::from_nanos(self.hash_cpu_nanos.load(Ordering::Relaxed));
        hash.saturating_mul(LATE_AFTER / LATE_TICKS).max(MIN_TICK)
    }
}

/// Takes one time into a moving average in nanoseconds.
fn note(average: &AtomicU64, time: Duration) {
    let time = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let before = average.load(Ordering::Relaxed);
    let next = (before / 8 * 7).saturating_add(time / 8);
    average.store(next, Ordering::Relaxed);
}

/// How long this thread has had a core. Other than by the clock, what it does
/// takes as long beside others as alone.
fn cpu_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
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
