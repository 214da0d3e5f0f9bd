//! A hashing thread: it owns its memory and does one job after another.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use argon2::Argon2;
use argon2::password_hash::phc::{Output, Salt};
use countersign_domain::model::{Password, PasswordHash};
use countersign_domain::ports::{HashError, Random, Verdict};
use tokio::sync::oneshot;

use crate::memory::{Memory, State};
use crate::parameters::Argon2Parameters;
use crate::queue::{Next, Queue};
use crate::stored_hash::{StoredHash, new_salt, to_phc};

/// After this pause a thread wipes its memory. Wiping after each hash would cost
/// 3 % of it.
const WIPE_AFTER: Duration = Duration::from_millis(50);

/// After this pause more it gives the memory back. To have it anew costs half a
/// hash.
const RELEASE_AFTER: Duration = Duration::from_secs(10);

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
    pub(crate) queue: Queue<Job>,
    pub(crate) decoy: StoredHash,
    /// Held while a hash works in more memory than a thread owns, so that only
    /// one at a time does.
    pub(crate) large: Mutex<()>,
    /// How many hashes were computed.
    pub(crate) hashes: AtomicU64,
    /// How long a hash takes, in nanoseconds: a moving average.
    pub(crate) hash_nanos: AtomicU64,
}

/// One thread's share.
pub(crate) struct Worker {
    shared: Arc<Shared>,
    memory: Memory,
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
        // The caller of a job that panics learns it by the lost reply.
        if catch_unwind(AssertUnwindSafe(|| self.answer(job))).is_err() {
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
        let salt = new_salt(self.shared.random.as_ref());
        let output = self.compute(
            &parameters.argon2id(),
            password,
            &salt,
            Argon2Parameters::OUTPUT_BYTES,
        )?;
        Ok(to_phc(parameters, &salt, &output))
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
        let output = self.compute(
            &compared.argon2,
            password,
            &compared.salt,
            compared.output.len(),
        )?;
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

    #[expect(
        clippy::disallowed_methods,
        reason = "measures what a hash costs on this machine; nothing is decided by it but the advice when to try again"
    )]
    fn compute(
        &mut self,
        argon2: &Argon2<'_>,
        password: &Password,
        salt: &Salt,
        output_bytes: usize,
    ) -> Result<Output, HashError> {
        let count = argon2.params().block_count();
        let own = self.shared.parameters.argon2id().params().block_count();
        let started = Instant::now();
        let output = if count <= own {
            fill(argon2, password, salt, output_bytes, &mut self.memory, own)
        } else {
            let _one_at_a_time = self
                .shared
                .large
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            fill(
                argon2,
                password,
                salt,
                output_bytes,
                &mut Memory::default(),
                count,
            )
        };
        self.shared.hashes.fetch_add(1, Ordering::Relaxed);
        self.shared.note(started.elapsed());
        output.map_err(|reason| HashError::Failed(reason.into()))
    }
}

impl Shared {
    /// Takes one hash's time into the average.
    fn note(&self, time: Duration) {
        let time = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let average = self.hash_nanos.load(Ordering::Relaxed);
        let next = (average / 8 * 7).saturating_add(time / 8);
        self.hash_nanos.store(next, Ordering::Relaxed);
    }
}

fn fill(
    argon2: &Argon2<'_>,
    password: &Password,
    salt: &Salt,
    output_bytes: usize,
    memory: &mut Memory,
    blocks: usize,
) -> Result<Output, &'static str> {
    let mut output = [0; Output::MAX_LENGTH];
    let output = &mut output[..output_bytes];
    argon2
        .hash_password_into_with_memory(
            password.expose().as_bytes(),
            salt,
            output,
            memory.blocks(blocks)?,
        )
        .map_err(|_| "Argon2 refused its input")?;
    Output::new(output).map_err(|_| "Argon2 gave no output")
}
