//! Argon2id on a fixed number of threads, each with its own memory, behind a
//! short queue: neither the memory nor the wait grows with the number of callers.
//! The threads run where no other would, and one more steps in where that is
//! nowhere.

use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;
use std::{io, thread};

use async_trait::async_trait;
use countersign_domain::model::{HashFormat, ImportedHash, Password, PasswordHash};
use countersign_domain::ports::{HashError, HashingPlace, PasswordHasher, Random, Verdict};
use tokio::sync::oneshot;

use crate::backlog::heavy_threads;
use crate::imported::Imported;
use crate::job::{Job, Reply, Stored};
use crate::kind::NANOS_PER_BLOCK;
use crate::parameters::Argon2Parameters;
use crate::priority;
use crate::queue::{Place, Queue};
use crate::refusals::Refusals;
use crate::shared::Shared;
use crate::stored_hash::{self, Argon2Hash, StoredHash};
use crate::strength;
use crate::worker::{self, Role, Worker};

/// How large the pool is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolSettings {
    /// What a new hash costs.
    pub parameters: Argon2Parameters,
    /// Hashing threads. More than cores gain nothing.
    pub workers: NonZeroUsize,
    /// How many passwords may wait, for all threads together. Times the time of
    /// a hash and divided by the threads, this is the longest wait: about 0.6 s
    /// with the defaults on two cores. Changing a password takes two places at
    /// once, so with one it is always refused.
    pub queue: NonZeroUsize,
    /// An example of each kind of dear hash that is expected from another system.
    /// How long it takes is measured at the start, so that the first refusal of
    /// such a hash is not told by its time either.
    pub examples: Vec<PasswordHash>,
    /// Whether people have mere digests in another system, who are adopted after the
    /// comparison: so that the first refusal of one is not told either.
    pub has_digests: bool,
    /// Whether the threads run only where no other would, on Linux, and one more
    /// does what is late. Else they are merely nice.
    pub idle_priority: bool,
}

/// Hashes passwords with Argon2id (RFC 9106) and verifies PHC strings of any
/// Argon2, and hashes that other systems made.
///
/// It takes as much memory as the parameters say for each thread that has worked
/// within the last ten seconds, wiped in every pause, and that of one larger hash
/// at a time if such are stored. The place in the queue belongs to the job: a
/// caller who goes away leaves it, and the job is skipped. Dropping the pool stops
/// the threads.
///
/// Threads of idle priority leave the core at once to whoever else has work to
/// do, and have next to nothing where others use up all cores. So there is one
/// more with them, the relief, which is nice but ordinary. It takes a job that a
/// thread has begun and not finished in sixteen times what it takes on a core of
/// its own, does it as well, and the first answer counts; and if that is so of
/// every thread, it takes what waits. Its memory, and that of one larger hash,
/// comes on top while it works. Otherwise it sleeps.
///
/// A comparison costs what a new hash costs, also with no hash, with an
/// unreadable one, and with one that is cheaper, whoever made it: the thread does
/// the missing work in the same job. One that asks for more work or more memory
/// costs what it asks for, within the bounds of its format, and one beyond them
/// counts as unreadable. While such are in use, a refusal of any account is held
/// back until one of the dearest would be answered; nothing is computed meanwhile.
/// All threads but one compare them.
pub struct Argon2Pool {
    shared: Arc<Shared>,
    workers: NonZeroUsize,
}

/// How busy the pool is, and what it has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolReading {
    /// Places in the queue that are taken.
    pub waiting: usize,
    /// Places in the queue.
    pub queue: usize,
    /// Passwords that are being hashed.
    pub running: usize,
    /// Hashing threads.
    pub threads: usize,
    /// Passwords that were hashed or compared since the start.
    pub hashes: u64,
    /// Those of them that the relief did, as the threads were late.
    pub relieved: u64,
    /// Passwords that found no place since the start.
    pub shed: u64,
}

/// A place in the pool's queue.
struct Argon2Place {
    place: Place<Arc<Job>>,
    shared: Arc<Shared>,
}

impl Default for PoolSettings {
    /// The default parameters, a thread for each core, 64 places, idle priority.
    fn default() -> Self {
        Self {
            parameters: Argon2Parameters::default(),
            workers: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            queue: NonZeroUsize::new(64).expect("64 is not zero"),
            examples: Vec::new(),
            has_digests: false,
            idle_priority: true,
        }
    }
}

impl Argon2Pool {
    /// Starts the threads. Salts come from `random`.
    ///
    /// # Errors
    /// If the system gives no more threads, or an example cannot be read.
    pub fn start(settings: PoolSettings, random: Arc<dyn Random>) -> io::Result<Self> {
        let PoolSettings {
            parameters,
            workers,
            queue,
            examples,
            has_digests,
            idle_priority,
        } = settings;
        let work = u64::from(parameters.memory_kib()) * u64::from(parameters.passes());
        let hash_nanos = work * NANOS_PER_BLOCK;
        let pool = Self {
            shared: Arc::new(Shared {
                parameters,
                decoy: Argon2Hash::decoy(parameters, random.as_ref()),
                refusals: Refusals::new(heavy_threads(workers.get())),
                random,
                queue: Queue::new(queue.get(), workers.get()),
                large: Mutex::new(()),
                running: AtomicUsize::new(0),
                shed: AtomicU64::new(0),
                hashes: AtomicU64::new(0),
                relieved: AtomicU64::new(0),
                blocks: AtomicU64::new(0),
                hash_nanos: AtomicU64::new(hash_nanos),
                hash_cpu_nanos: AtomicU64::new(hash_nanos),
            }),
            workers,
        };
        Worker::new(Role::Relief, Arc::clone(&pool.shared))
            .calibrate(&examples, has_digests)
            .map_err(io::Error::other)?;
        let (report, reports) = mpsc::channel();
        for number in 0..workers.get() {
            let report = report.clone();
            pool.spawn(&number.to_string(), Role::Regular(number), move || {
                let is_idle = idle_priority && priority::run_when_idle();
                if !is_idle {
                    priority::be_nice();
                }
                let _ = report.send(is_idle);
            })?;
        }
        drop(report);
        if reports.iter().filter(|is_idle| *is_idle).count() > 0 {
            pool.spawn("relief", Role::Relief, priority::be_nice)?;
        }
        Ok(pool)
    }

    /// Starts a thread, which first sets its priority.
    fn spawn(
        &self,
        name: &str,
        role: Role,
        set_priority: impl FnOnce() + Send + 'static,
    ) -> io::Result<()> {
        let worker = Worker::new(role, Arc::clone(&self.shared));
        thread::Builder::new()
            .name(format!("argon2-{name}"))
            .spawn(move || {
                set_priority();
                worker.run();
            })?;
        Ok(())
    }

    /// Reads how busy it is, and what it has done.
    #[must_use]
    pub fn reading(&self) -> PoolReading {
        let shared = &self.shared;
        PoolReading {
            waiting: shared.queue.taken(),
            queue: shared.queue.capacity(),
            running: shared.running.load(Ordering::Relaxed),
            threads: self.workers.get(),
            hashes: self.hashes(),
            relieved: shared.relieved.load(Ordering::Relaxed),
            shed: shared.shed.load(Ordering::Relaxed),
        }
    }

    /// How many passwords wait to be hashed.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.shared.queue.waiting()
    }

    /// How many passwords were hashed or compared since the start.
    #[must_use]
    pub fn hashes(&self) -> u64 {
        self.shared.hashes.load(Ordering::Relaxed)
    }

    /// How many blocks of 1 KiB were computed since the start: the work of all
    /// hashes, what it took to make cheap comparisons as dear as others
    /// included.
    #[must_use]
    pub fn blocks(&self) -> u64 {
        self.shared.blocks.load(Ordering::Relaxed)
    }

    /// How long a hash takes, measured over the last few.
    #[must_use]
    pub fn hash_time(&self) -> Duration {
        Duration::from_nanos(self.shared.hash_nanos.load(Ordering::Relaxed))
    }
}

/// Whether an example of a hash can be read.
///
/// # Errors
/// What is wrong with it, and what would be right.
pub fn check_example(hash: &str, parameters: Argon2Parameters) -> Result<(), &'static str> {
    StoredHash::parse(hash, parameters).map(drop)
}

impl PasswordHasher for Argon2Pool {
    fn admit(&self) -> Result<Box<dyn HashingPlace>, HashError> {
        match self.shared.queue.admit(|job| job.is_wanted()) {
            Some(place) => Ok(Box::new(Argon2Place {
                place,
                shared: Arc::clone(&self.shared),
            })),
            None => Err(self.shared.shed()),
        }
    }

    fn assess(&self, password: &Password, known: &[&str]) -> Result<(), String> {
        strength::assess(password.expose(), known)
    }

    fn import(&self, format: HashFormat, hash: &str) -> Result<ImportedHash, &'static str> {
        stored_hash::import(format, hash, self.shared.parameters)
    }
}

impl Argon2Place {
    /// What is over as soon as the comparison that is asked for now, of a password of
    /// so many bytes, may be answered with a refusal.
    fn refusable(&self, password: usize) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let asked = worker::now();
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            if let Some(from) = shared.refusals.release(asked, password) {
                tokio::time::sleep_until(from.into()).await;
            }
        })
    }

    /// Has a job done that takes `weight` times as long as a new hash.
    async fn submit<T>(
        self,
        weight: u32,
        job: impl FnOnce(Reply<T>) -> Job,
    ) -> Result<T, HashError> {
        let (reply, answer) = oneshot::channel();
        let job = Arc::new(job(Reply::new(reply)));
        if !self.place.put(job, weight) {
            return Err(self.shared.shed());
        }
        answer
            .await
            .unwrap_or_else(|_| Err(HashError::Failed("the hasher broke".into())))
    }
}

#[async_trait]
impl HashingPlace for Argon2Place {
    async fn hash(self: Box<Self>, password: Password) -> Result<PasswordHash, HashError> {
        self.submit(1, |reply| Job::Hash(password, reply)).await
    }

    async fn verify(
        self: Box<Self>,
        password: Password,
        hash: Option<PasswordHash>,
    ) -> Result<Verdict, HashError> {
        let length = password.expose().len();
        let refusable = self.refusable(length);
        let stored = Stored::read(hash.as_ref(), self.shared.parameters);
        let weight = self.shared.weight(&stored, length);
        let verdict = self
            .submit(weight, |reply| Job::Verify(password, stored, reply))
            .await?;
        Ok(verdict.refusable(refusable))
    }

    async fn verify_digest(
        self: Box<Self>,
        password: Password,
        digest: ImportedHash,
    ) -> Result<(Verdict, PasswordHash), HashError> {
        let refusable = self.refusable(password.expose().len());
        match StoredHash::parse(digest.hash.expose(), self.shared.parameters) {
            Ok(StoredHash::Imported(Imported::Digest(digest))) => {
                let job = |reply| Job::VerifyDigest(password, digest, reply);
                let (verdict, stored) = self.submit(1, job).await?;
                Ok((verdict.refusable(refusable), stored))
            }
            Ok(_) => Err(HashError::Failed("must be a digest".into())),
            Err(reason) => Err(HashError::Failed(reason.into())),
        }
    }

    async fn wrap(self: Box<Self>, imported: ImportedHash) -> Result<PasswordHash, HashError> {
        let hash = imported.hash;
        match StoredHash::parse(hash.expose(), self.shared.parameters) {
            Ok(StoredHash::Imported(Imported::Digest(digest))) => {
                self.submit(1, |reply| Job::Wrap(digest, reply)).await
            }
            Ok(_) => Ok(hash),
            Err(reason) => Err(HashError::Failed(reason.into())),
        }
    }
}

impl Drop for Argon2Pool {
    fn drop(&mut self) {
        self.shared.queue.close();
    }
}
