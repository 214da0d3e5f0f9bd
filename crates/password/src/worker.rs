//! A hashing thread: it owns its memory and does one job after another, all that
//! come or those alone that are late.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use argon2::Block;
use argon2::password_hash::phc::Output;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use countersign_domain::model::{Password, PasswordHash};
use countersign_domain::ports::{HashError, Verdict};
use rustix::time::{ClockId, clock_gettime};

use crate::imported::digest::SaltedDigest;
use crate::job::{Asked, Job, Reply, Stored};
use crate::kind::Kind;
use crate::memory::{Memory, State};
use crate::padding::Padding;
use crate::queue::Next;
use crate::shared::Shared;
use crate::stored_hash::{Argon2Hash, StoredHash, new_salt, to_phc, to_wrapped};

/// After this pause a thread wipes its memory. Wiping after each hash would cost
/// 3 % of it.
const WIPE_AFTER: Duration = Duration::from_millis(50);

/// After this pause more it gives the memory back. To have it anew costs half a
/// hash.
const RELEASE_AFTER: Duration = Duration::from_secs(10);

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
            Role::Relief => queue.next_late(self.shared.tick(), patience),
        }
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
        match job {
            Job::Hash(password, reply) => {
                let hash = self.hash(password.expose().as_bytes());
                self.reply(reply, hash);
            }
            Job::Wrap(digest, reply) => {
                let wrapped = self.wrap(digest);
                self.reply(reply, wrapped);
            }
            Job::Verify(password, stored, reply) => self.compare(password, stored, reply),
            Job::VerifyDigest(password, digest, reply) => {
                let compared = self.compare_digest(password, digest);
                self.reply(reply, compared);
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

    fn hash(&mut self, password: &[u8]) -> Result<PasswordHash, HashError> {
        let parameters = self.shared.parameters;
        let new = Argon2Hash {
            salt: new_salt(self.shared.random.as_ref()),
            ..self.shared.decoy.clone()
        };
        let output = self.timed(new.kind, password.len(), |worker| {
            worker.argon2(password, &new)
        });
        Ok(to_phc(parameters, &new.salt, &output?))
    }

    fn wrap(&mut self, digest: &SaltedDigest) -> Result<PasswordHash, HashError> {
        let phc = self.hash(digest.digest())?;
        Ok(to_wrapped(digest.how(), &phc))
    }

    /// The digest itself is computed in no time. What is stored of it costs one hash,
    /// of the password or of the digest.
    fn compare_digest(
        &mut self,
        password: &Password,
        digest: &SaltedDigest,
    ) -> Result<(Verdict, PasswordHash), HashError> {
        let password = password.expose().as_bytes();
        let computed = digest.compute(password);
        let matches = verify_slices_are_equal(&computed, digest.digest()).is_ok();
        let started = now();
        let stored = match matches {
            true => self.hash(password)?,
            false => self.wrap(digest)?,
        };
        self.shared.refusals.note_digest(started.elapsed());
        Ok((Verdict::new(matches, None), stored))
    }

    /// Compares, answers, and then makes a new hash if the password is right and
    /// the old hash outdated, while this thread has the password in hand.
    fn compare(&mut self, password: &Password, stored: &Stored, reply: &Reply<Verdict>) {
        let matches = self.verify(password, stored);
        let is_outdated = matches!(stored, Stored::Hash(hash) if hash.is_outdated());
        if is_outdated && matches!(matches, Ok(true)) {
            let (replacement, asked) = Asked::new();
            self.reply(reply, Ok(Verdict::new(true, Some(replacement))));
            asked.serve(|| {
                let hash = self.hash(password.expose().as_bytes());
                self.shared.hashes.fetch_add(1, Ordering::Relaxed);
                hash
            });
        } else {
            self.reply(reply, matches.map(|matches| Verdict::new(matches, None)));
        }
    }

    /// Whatever is stored, nothing or nonsense included, costs one hash.
    fn verify(&mut self, password: &Password, stored: &Stored) -> Result<bool, HashError> {
        match stored {
            Stored::Hash(StoredHash::Argon2(hash)) => self.verify_argon2(password, hash),
            Stored::Hash(hash @ StoredHash::Imported(imported)) => {
                let length = password.expose().len();
                self.timed(hash.kind(), length, |_| {
                    Ok(imported.matches(password.expose()))
                })
            }
            Stored::Nothing => {
                let decoy = self.shared.decoy.clone();
                self.verify_argon2(password, &decoy).map(|_| false)
            }
            Stored::Unreadable(reason) => {
                let decoy = self.shared.decoy.clone();
                self.verify_argon2(password, &decoy)?;
                Err(HashError::Failed((*reason).into()))
            }
        }
    }

    fn verify_argon2(&mut self, password: &Password, like: &Argon2Hash) -> Result<bool, HashError> {
        let password = password.expose().as_bytes();
        self.timed(like.kind, password.len(), |worker| {
            let output = match &like.of {
                Some(digest) => worker.argon2(&digest.compute(password), like)?,
                None => worker.argon2(password, like)?,
            };
            let equal = verify_slices_are_equal(output.as_ref(), like.output.as_ref());
            Ok(equal.is_ok())
        })
    }

    /// Measures what this machine takes for a hash, before there is one: of a new
    /// one, of the examples of dearer ones, and of what is stored of digests.
    pub(crate) fn calibrate(
        &mut self,
        examples: &[PasswordHash],
        has_digests: bool,
    ) -> Result<(), HashError> {
        let password = Password::to_compare("calibration".into()).expect("it is a password");
        // The first finds no memory. The others are the longest part of the start.
        for _ in 0..3 {
            self.verify(&password, &Stored::Nothing)?;
        }
        let measured = self.padding.full().unwrap_or_default().as_nanos();
        let measured = u64::try_from(measured).unwrap_or(u64::MAX);
        self.shared
            .hash_cpu_nanos
            .store(measured, Ordering::Relaxed);
        if has_digests {
            let took = Duration::from_nanos(measured);
            self.shared.refusals.note_digest(took);
        }
        for example in examples {
            self.verify(
                &password,
                &Stored::read(Some(example), self.shared.parameters),
            )?;
        }
        // None of it was for anybody.
        self.shared.hash_nanos.store(measured, Ordering::Relaxed);
        self.shared.blocks.store(0, Ordering::Relaxed);
        Ok(())
    }

    /// Times what is computed for a hash of this kind, and does the work that is
    /// missing to the cost of a new one.
    #[expect(
        clippy::disallowed_methods,
        reason = "measures what a hash costs on this machine, by which another try is advised, \
                  a cheaper hash is padded and a refusal of a dearer one is not told apart"
    )]
    fn timed<T>(
        &mut self,
        kind: Kind,
        password: usize,
        compute: impl FnOnce(&mut Self) -> Result<T, &'static str>,
    ) -> Result<T, HashError> {
        let failed = |reason: &str| HashError::Failed(reason.into());
        // Memory that is had anew costs half a hash, whatever it is needed for:
        // not to be compared.
        let is_comparable = self.memory.state() != State::Released;
        let own = self.own_blocks();
        self.memory.blocks(own).map_err(failed)?;
        // The one that has it may be what the relief is late for.
        let is_large = kind.memory_kib() > own as u64 && self.role != Role::Relief;
        let shared = Arc::clone(&self.shared);
        let _one_at_a_time = is_large.then(|| {
            let large = shared.large.lock();
            large.unwrap_or_else(PoisonError::into_inner)
        });

        let (started, cpu_before) = (Instant::now(), cpu_time());
        let output = compute(self);
        let (took, spent) = (started.elapsed(), cpu_time().saturating_sub(cpu_before));
        let full = Duration::from_nanos(shared.hash_cpu_nanos.load(Ordering::Relaxed));
        let missing = self.padding.missing(kind, spent, full);
        let padded = self.pad(kind, missing);
        let cpu_time = cpu_time().saturating_sub(cpu_before);

        note(&shared.hash_nanos, started.elapsed());
        if kind == shared.decoy.kind {
            if is_comparable {
                note(&shared.hash_cpu_nanos, cpu_time);
            }
        } else if missing <= 0 {
            shared.refusals.note(kind, password, took);
        }
        self.padding
            .note(kind, missing, is_comparable.then_some(cpu_time));
        padded.map_err(failed)?;
        output.map_err(failed)
    }

    /// What Argon2 makes of these bytes.
    fn argon2(&mut self, password: &[u8], like: &Argon2Hash) -> Result<Output, &'static str> {
        let count = like.argon2.params().block_count();
        let own = self.own_blocks();
        self.shared.count(like.kind.work());
        if count <= own {
            return hash_in(self.memory.blocks(own)?, password, like);
        }
        hash_in(Memory::default().blocks(count)?, password, like)
    }

    /// Does the work that a hash of this kind lacks.
    fn pad(&mut self, kind: Kind, missing: i64) -> Result<(), &'static str> {
        let Some(argon2) = self.padding.fill(kind, missing) else {
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

/// Takes one time into a moving average in nanoseconds.
fn note(average: &AtomicU64, time: Duration) {
    let time = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let before = average.load(Ordering::Relaxed);
    let next = (before / 8 * 7).saturating_add(time / 8);
    average.store(next, Ordering::Relaxed);
}

/// The time from which on a comparison is asked for.
#[expect(
    clippy::disallowed_methods,
    reason = "measures what a comparison takes"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// How long this thread has had a core. Other than by the clock, what it does
/// takes as long beside others as alone.
fn cpu_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

fn hash_in(
    blocks: &mut [Block],
    password: &[u8],
    like: &Argon2Hash,
) -> Result<Output, &'static str> {
    let mut output = [0; Output::MAX_LENGTH];
    let output = &mut output[..like.output.len()];
    like.argon2
        .hash_password_into_with_memory(password, &like.salt, output, blocks)
        .map_err(|_| "Argon2 refused its input")?;
    Output::new(output).map_err(|_| "Argon2 gave no output")
}
