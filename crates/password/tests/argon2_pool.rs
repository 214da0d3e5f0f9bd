//! The pool as its users see it: what is hashed, what is compared, and what
//! happens when more is asked than can be done.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use countersign_domain::model::{Password, PasswordHash};
use countersign_domain::ports::{HashError, PasswordHasher as _, Random, Verdict};
use countersign_domain::testing::SeededRandom;
use countersign_password::{Argon2Parameters, Argon2Pool, PoolSettings};

const MATCHES: Verdict = Verdict {
    matches: true,
    outdated: false,
};
const DIFFERS: Verdict = Verdict {
    matches: false,
    outdated: false,
};

fn cheap() -> PoolSettings {
    PoolSettings {
        parameters: Argon2Parameters::new(8_192, 1, 1).expect("parameters"),
        workers: NonZeroUsize::new(2).expect("two"),
        queue_per_worker: NonZeroUsize::new(2).expect("two"),
    }
}

fn one_worker() -> PoolSettings {
    PoolSettings {
        workers: NonZeroUsize::MIN,
        ..cheap()
    }
}

fn pool(settings: PoolSettings) -> Argon2Pool {
    Argon2Pool::start(settings, Arc::new(SeededRandom::new(1))).expect("threads")
}

fn password(text: &str) -> Password {
    Password::to_compare(text.into()).expect("a password")
}

/// Randomness that is not given while the gate is shut: a worker that needs a
/// salt stands still.
struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
    panics: AtomicBool,
}

struct GateState {
    shut: bool,
    waiting: usize,
}

impl Gate {
    fn open() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(GateState {
                shut: false,
                waiting: 0,
            }),
            changed: Condvar::new(),
            panics: AtomicBool::new(false),
        })
    }

    fn lock(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().expect("nobody panics at the gate")
    }

    fn set_shut(&self, shut: bool) {
        self.lock().shut = shut;
        self.changed.notify_all();
    }

    /// Until a worker stands at the gate.
    async fn until_a_worker_waits(&self) {
        while self.lock().waiting == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

impl Random for Gate {
    fn fill(&self, bytes: &mut [u8]) {
        assert!(
            !self.panics.swap(false, Ordering::Relaxed),
            "no randomness today"
        );
        let mut state = self.lock();
        state.waiting += 1;
        let mut state = self
            .changed
            .wait_while(state, |state| state.shut)
            .expect("nobody panics at the gate");
        state.waiting -= 1;
        SeededRandom::new(7).fill(bytes);
    }
}

/// A pool of one worker, which stands at the gate with a job in its hands.
async fn blocked_pool() -> (Arc<Argon2Pool>, Arc<Gate>, Answer<PasswordHash>) {
    let gate = Gate::open();
    let pool = Argon2Pool::start(one_worker(), Arc::clone(&gate) as Arc<dyn Random>);
    let pool = Arc::new(pool.expect("threads"));
    gate.set_shut(true);
    let first = hashing(&pool);
    gate.until_a_worker_waits().await;
    (pool, gate, first)
}

type Answer<T> = tokio::task::JoinHandle<Result<T, HashError>>;

fn hashing(pool: &Arc<Argon2Pool>) -> Answer<PasswordHash> {
    let pool = Arc::clone(pool);
    tokio::spawn(async move { pool.hash(password("correct horse")).await })
}

fn verifying(pool: &Arc<Argon2Pool>) -> Answer<Verdict> {
    let pool = Arc::clone(pool);
    tokio::spawn(async move { pool.verify(password("correct horse"), None).await })
}

async fn until_waiting(pool: &Argon2Pool, jobs: usize) {
    while pool.waiting() != jobs {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_hash_is_a_phc_string_that_its_password_alone_matches() {
    let pool = pool(cheap());
    let hash = pool.hash(password("correct horse")).await.expect("a hash");

    let fields: Vec<&str> = hash.expose().split('$').collect();
    assert_eq!(fields[..4], ["", "argon2id", "v=19", "m=8192,t=1,p=1"]);
    assert_eq!((fields[4].len(), fields[5].len()), (22, 43));

    let right = pool
        .verify(password("correct horse"), Some(hash.clone()))
        .await;
    assert_eq!(right.expect("a verdict"), MATCHES);
    let wrong = pool.verify(password("correct hors"), Some(hash)).await;
    assert_eq!(wrong.expect("a verdict"), DIFFERS);
}

#[tokio::test]
async fn two_hashes_of_one_password_differ() {
    let pool = pool(cheap());
    let first = pool.hash(password("correct horse")).await.expect("a hash");
    let second = pool.hash(password("correct horse")).await.expect("a hash");
    assert!(first != second, "the salt is used twice");
}

/// From the reference implementation's own test.c.
#[tokio::test]
async fn hashes_of_the_reference_implementation_are_verified() {
    let pool = pool(cheap());
    for phc in [
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=262144,t=2,p=1$c29tZXNhbHQ$eP4eyR+zqlZX1y5xCFTkw9m5GYx0L5YWwvCFvtlbLow",
        "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
        "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
        "$argon2i$m=65536,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ",
    ] {
        let hash = PasswordHash::new(phc.into());
        let right = pool.verify(password("password"), Some(hash.clone())).await;
        let right = right.unwrap_or_else(|e| panic!("{phc}: {e}"));
        assert!(right.matches && right.outdated, "{phc}: {right:?}");
        let wrong = pool.verify(password("sassword"), Some(hash)).await;
        assert!(!wrong.expect("a verdict").matches, "{phc}");
    }
}

#[tokio::test]
async fn a_hash_of_other_parameters_is_outdated() {
    let old = pool(cheap());
    let hash = old.hash(password("correct horse")).await.expect("a hash");
    for (m, t, p) in [(8_193, 1, 1), (8_192, 2, 1), (8_192, 1, 2), (81_920, 1, 1)] {
        let new = pool(PoolSettings {
            parameters: Argon2Parameters::new(m, t, p).expect("parameters"),
            ..cheap()
        });
        let right = new
            .verify(password("correct horse"), Some(hash.clone()))
            .await
            .expect("a verdict");
        assert!(right.matches && right.outdated, "m={m} t={t} p={p}");
    }
}

#[tokio::test]
async fn every_verification_costs_one_hash() {
    let pool = pool(cheap());
    let hash = pool.hash(password("correct horse")).await.expect("a hash");
    let stored = [
        None,
        Some(hash),
        Some(PasswordHash::new("garbage".into())),
        Some(PasswordHash::new(String::new())),
        Some(PasswordHash::new(
            "$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc".into(),
        )),
    ];
    for hash in stored {
        let before = pool.hashes();
        drop(pool.verify(password("correct horse"), hash.clone()).await);
        assert_eq!(
            pool.hashes() - before,
            1,
            "{:?}",
            hash.map(|h| h.expose().to_owned())
        );
    }
}

#[tokio::test]
async fn without_a_hash_no_password_matches() {
    let pool = pool(cheap());
    let verdict = pool.verify(password("correct horse"), None).await;
    assert_eq!(verdict.expect("a verdict"), DIFFERS);
}

#[tokio::test]
async fn a_hash_that_cannot_be_read_is_a_failure_that_tells_no_secret() {
    let pool = pool(cheap());
    let output = "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    for phc in [
        "garbage".to_owned(),
        format!("$argon2id$v=19$m=262145,t=1,p=1$c29tZXNhbHQ${output}"),
        format!("$argon2id$v=19$m=8192,t=17,p=1$c29tZXNhbHQ${output}"),
        format!("$argon2id$v=19$m=8192,t=1,p=17$c29tZXNhbHQ${output}"),
        format!("$argon2id$v=18$m=8192,t=1,p=1$c29tZXNhbHQ${output}"),
        format!("$argon2id$v=19$m=7,t=1,p=1$c29tZXNhbHQ${output}"),
        format!("$scrypt$ln=15,r=8,p=1$c29tZXNhbHQ${output}"),
        "$argon2id$v=19$m=8192,t=1,p=1$c29tZXNhbHQ".to_owned(),
        "$argon2id$v=19$m=8192,t=1,p=1$c29tZXNhbHQ$c29tZXNhbHQ".to_owned(),
        format!(
            "$argon2id$v=19$m=8192,t=1,p=1$c29tZXNhbHQ${}",
            "A".repeat(4_000)
        ),
    ] {
        let hash = PasswordHash::new(phc.clone());
        match pool.verify(password("correct horse"), Some(hash)).await {
            Err(HashError::Failed(text)) => {
                assert!(!text.contains("c29t") && !text.contains("horse"), "{text}");
            }
            other => panic!("{phc}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn every_byte_of_a_long_password_counts() {
    let pool = pool(cheap());
    let long = "p".repeat(Password::MAX_BYTES - 1);
    let hash = pool
        .hash(password(&format!("{long}a")))
        .await
        .expect("a hash");
    for (last, matches) in [("a", true), ("b", false), ("", false)] {
        let verdict = pool
            .verify(password(&format!("{long}{last}")), Some(hash.clone()))
            .await
            .expect("a verdict");
        assert_eq!(verdict.matches, matches, "…{last}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn overload_is_told_at_once_and_passes() {
    let (pool, gate, first) = blocked_pool().await;
    let waiting = [verifying(&pool), verifying(&pool)];
    until_waiting(&pool, 2).await;

    match pool.verify(password("correct horse"), None).await {
        Err(HashError::Overloaded { retry_after }) => {
            assert!(retry_after >= pool.hash_time() * 3, "{retry_after:?}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(pool.hashes(), 0, "a hash was computed behind the gate");

    gate.set_shut(false);
    first.await.unwrap().expect("a hash");
    for answer in waiting {
        assert_eq!(answer.await.unwrap().expect("a verdict"), DIFFERS);
    }
    let after = pool.verify(password("correct horse"), None).await;
    assert_eq!(after.expect("a verdict"), DIFFERS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_left_is_skipped() {
    let (pool, gate, first) = blocked_pool().await;
    let (gone, stays) = (verifying(&pool), verifying(&pool));
    until_waiting(&pool, 2).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());

    gate.set_shut(false);
    first.await.unwrap().expect("a hash");
    stays.await.unwrap().expect("a verdict");
    assert_eq!(pool.hashes(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_left_makes_room_in_a_full_queue() {
    let (pool, gate, first) = blocked_pool().await;
    let (gone, stays) = (verifying(&pool), verifying(&pool));
    until_waiting(&pool, 2).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());

    let late = verifying(&pool);
    tokio::time::sleep(Duration::from_millis(20)).await;
    gate.set_shut(false);
    first.await.unwrap().expect("a hash");
    stays.await.unwrap().expect("a verdict");
    late.await.unwrap().expect("a verdict");
    assert_eq!(pool.hashes(), 3);
}

#[tokio::test]
async fn a_job_that_panics_does_not_take_its_thread_along() {
    let gate = Gate::open();
    let pool = Argon2Pool::start(one_worker(), Arc::clone(&gate) as Arc<dyn Random>);
    let pool = pool.expect("threads");
    gate.panics.store(true, Ordering::Relaxed);

    let broken = pool.hash(password("correct horse")).await;
    assert!(matches!(broken, Err(HashError::Failed(_))), "{broken:?}");
    pool.hash(password("correct horse")).await.expect("a hash");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_threads_stop_with_the_pool() {
    let random: Arc<dyn Random> = Arc::new(SeededRandom::new(1));
    let pool = Argon2Pool::start(cheap(), Arc::clone(&random)).expect("threads");
    pool.hash(password("correct horse")).await.expect("a hash");
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

#[tokio::test]
async fn a_common_password_is_refused_and_a_good_one_is_not() {
    let pool = pool(cheap());
    let rule = pool.assess(&password("password1"), &[]);
    assert_eq!(
        rule,
        Err("must not be a common or easily guessed password".into())
    );
    assert_eq!(pool.assess(&password("tr4vel-by-night-train"), &[]), Ok(()));
}
