//! What happens when more is asked than can be done, and when callers leave.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use countersign_domain::model::PasswordHash;
use countersign_domain::ports::{HashError, PasswordHasher as _, Random};
use countersign_domain::testing::SeededRandom;
use countersign_password::{Argon2Pool, PoolReading, PoolSettings};

use super::support::{DIFFERS, Seen, cheap, new_hash, one_worker, password, verify};

/// Randomness that can be held back: a worker that needs a salt then blocks.
struct HeldRandom {
    state: Mutex<HeldState>,
    changed: Condvar,
    panics: AtomicBool,
}

struct HeldState {
    is_held: bool,
    waiting: usize,
}

impl HeldRandom {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(HeldState {
                is_held: false,
                waiting: 0,
            }),
            changed: Condvar::new(),
            panics: AtomicBool::new(false),
        })
    }

    fn lock(&self) -> MutexGuard<'_, HeldState> {
        self.state.lock().expect("no holder panics")
    }

    fn hold(&self, is_held: bool) {
        self.lock().is_held = is_held;
        self.changed.notify_all();
    }

    /// Waits until a worker waits for randomness.
    async fn until_a_worker_waits(&self) {
        while self.lock().waiting == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

impl Random for HeldRandom {
    fn fill(&self, bytes: &mut [u8]) {
        assert!(
            !self.panics.swap(false, Ordering::Relaxed),
            "no randomness today"
        );
        let mut state = self.lock();
        state.waiting += 1;
        let mut state = self
            .changed
            .wait_while(state, |state| state.is_held)
            .expect("no holder panics");
        state.waiting -= 1;
        SeededRandom::new(7).fill(bytes);
    }
}

/// A pool of one worker, which is blocked in the middle of a job.
async fn blocked_pool() -> (Arc<Argon2Pool>, Arc<HeldRandom>, Answer<PasswordHash>) {
    let random = HeldRandom::new();
    let pool = Argon2Pool::start(one_worker(), Arc::clone(&random) as Arc<dyn Random>);
    let pool = Arc::new(pool.expect("threads"));
    random.hold(true);
    let first = hashing(&pool);
    random.until_a_worker_waits().await;
    (pool, random, first)
}

type Answer<T> = tokio::task::JoinHandle<Result<T, HashError>>;

fn hashing(pool: &Arc<Argon2Pool>) -> Answer<PasswordHash> {
    let pool = Arc::clone(pool);
    tokio::spawn(async move { new_hash(&pool, "correct horse").await })
}

fn verifying(pool: &Arc<Argon2Pool>) -> Answer<Seen> {
    let pool = Arc::clone(pool);
    tokio::spawn(async move { verify(&pool, "correct horse", None).await })
}

async fn until_waiting(pool: &Argon2Pool, jobs: usize) {
    while pool.waiting() != jobs {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn overload_is_told_at_once_and_passes() {
    let (pool, random, first) = blocked_pool().await;
    let waiting = [verifying(&pool), verifying(&pool)];
    until_waiting(&pool, 2).await;

    match verify(&pool, "correct horse", None).await {
        Err(HashError::Overloaded { retry_after }) => {
            assert!(retry_after >= pool.hash_time() * 3, "{retry_after:?}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(pool.hashes(), 0, "a hash was computed meanwhile");

    random.hold(false);
    first.await.unwrap().expect("a hash");
    for answer in waiting {
        assert_eq!(answer.await.unwrap().expect("a verdict"), DIFFERS);
    }
    let after = verify(&pool, "correct horse", None).await;
    assert_eq!(after.expect("a verdict"), DIFFERS);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_hashed_and_is_shed_is_read() {
    let (pool, random, first) = blocked_pool().await;
    let waiting = verifying(&pool);
    until_waiting(&pool, 1).await;
    let place = pool.admit().expect("the last place");
    for _ in 0..3 {
        verify(&pool, "correct horse", None)
            .await
            .expect_err("shed");
    }
    let busy = PoolReading {
        waiting: 2,
        queue: 2,
        running: 1,
        threads: 1,
        hashes: 0,
        relieved: 0,
        shed: 3,
    };
    assert_eq!(pool.reading(), busy);

    drop(place);
    random.hold(false);
    first.await.unwrap().expect("a hash");
    waiting.await.unwrap().expect("a verdict");
    let idle = PoolReading {
        waiting: 0,
        running: 0,
        hashes: 2,
        ..busy
    };
    // The thread is done a moment after its answer.
    while pool.reading() != idle {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_left_is_skipped() {
    let (pool, random, first) = blocked_pool().await;
    let (gone, stays) = (verifying(&pool), verifying(&pool));
    until_waiting(&pool, 2).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());

    random.hold(false);
    first.await.unwrap().expect("a hash");
    stays.await.unwrap().expect("a verdict");
    assert_eq!(pool.hashes(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_left_makes_room_in_a_full_queue() {
    let (pool, random, first) = blocked_pool().await;
    let (gone, stays) = (verifying(&pool), verifying(&pool));
    until_waiting(&pool, 2).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());

    let late = verifying(&pool);
    tokio::time::sleep(Duration::from_millis(20)).await;
    random.hold(false);
    first.await.unwrap().expect("a hash");
    stays.await.unwrap().expect("a verdict");
    late.await.unwrap().expect("a verdict");
    assert_eq!(pool.hashes(), 3);
}

#[tokio::test]
async fn a_place_is_held_without_a_thread_and_free_when_it_is_dropped() {
    let pool = Argon2Pool::start(one_worker(), Arc::new(SeededRandom::new(1))).expect("threads");
    let held = pool.admit().expect("the first place");
    // The only thread serves the other place meanwhile.
    for _ in 0..3 {
        new_hash(&pool, "correct horse").await.expect("a hash");
    }
    let other = pool.admit().expect("the second place");
    let shed = new_hash(&pool, "correct horse").await;
    assert!(
        matches!(shed, Err(HashError::Overloaded { .. })),
        "{shed:?}"
    );
    drop(other);
    // A call that is given up before it began.
    drop(held.verify(password("correct horse"), None));
    let places = [pool.admit(), pool.admit()];
    assert!(places.iter().all(Result::is_ok));
}

#[tokio::test]
async fn what_was_admitted_is_served_however_full_it_is_meanwhile() {
    let pool = Argon2Pool::start(one_worker(), Arc::new(SeededRandom::new(1))).expect("threads");
    let places = [pool.admit(), pool.admit()];
    assert!(pool.admit().is_err());
    for place in places {
        let place = place.expect("a place");
        place.hash(password("correct horse")).await.expect("a hash");
    }
}

#[tokio::test]
async fn there_are_as_many_places_as_the_queue_says_however_many_threads() {
    for (workers, queue) in [(1, 1), (1, 2), (2, 1), (2, 3), (3, 4)] {
        let settings = PoolSettings {
            workers: NonZeroUsize::new(workers).expect("threads"),
            queue: NonZeroUsize::new(queue).expect("places"),
            ..cheap()
        };
        let pool = Argon2Pool::start(settings, Arc::new(SeededRandom::new(1))).expect("threads");
        let places: Vec<_> = (0..8).map_while(|_| pool.admit().ok()).collect();
        assert_eq!(places.len(), queue, "{workers} threads");
    }
}

#[tokio::test]
async fn a_place_that_outlives_its_pool_is_good_for_nothing() {
    let pool = Argon2Pool::start(one_worker(), Arc::new(SeededRandom::new(1))).expect("threads");
    let place = pool.admit().expect("a place");
    drop(pool);
    let late = place.hash(password("correct horse")).await;
    assert!(matches!(late, Err(HashError::Failed(_))), "{late:?}");
}

#[tokio::test]
async fn a_job_that_panics_does_not_take_its_thread_along() {
    let random = HeldRandom::new();
    let pool = Argon2Pool::start(one_worker(), Arc::clone(&random) as Arc<dyn Random>);
    let pool = pool.expect("threads");
    random.panics.store(true, Ordering::Relaxed);

    let broken = new_hash(&pool, "correct horse").await;
    assert!(matches!(broken, Err(HashError::Failed(_))), "{broken:?}");
    new_hash(&pool, "correct horse").await.expect("a hash");
    while pool.reading().running > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_threads_stop_with_the_pool() {
    let random: Arc<dyn Random> = Arc::new(SeededRandom::new(1));
    let pool = Argon2Pool::start(cheap(), Arc::clone(&random)).expect("threads");
    new_hash(&pool, "correct horse").await.expect("a hash");
    drop(pool);
    let stopped = async {
        while Arc::strong_count(&random) > 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), stopped)
        .await
        .expect("the threads stop");
}
