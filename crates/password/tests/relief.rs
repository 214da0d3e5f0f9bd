//! The priority of the threads, and who hashes where they get no core. That the
//! relief stays out of what goes on in time is told in ticks, in
//! `src/backlog.rs`: whether a machine is busy is not for a test to say.

#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs;
use std::hint::spin_loop;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use countersign_domain::model::Password;
use countersign_domain::ports::{PasswordHasher as _, Random};
use countersign_domain::testing::SeededRandom;
use countersign_password::{Argon2Pool, PoolSettings};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// From `sched.h`.
const SCHED_OTHER: u32 = 0;
const SCHED_IDLE: u32 = 5;

const LONG: Duration = Duration::from_secs(60);

fn pool(threads: usize, random: Arc<dyn Random>) -> Argon2Pool {
    let settings = PoolSettings {
        workers: NonZeroUsize::new(threads).expect("threads"),
        ..PoolSettings::default()
    };
    Argon2Pool::start(settings, random).expect("threads")
}

async fn hash(pool: &Argon2Pool) {
    let password = Password::to_compare("correct horse".into()).expect("a password");
    let place = pool.admit().expect("a place");
    place.hash(password).await.expect("a hash");
}

/// The scheduling policy and the niceness of this process's hashing threads.
fn hashing_threads() -> BTreeMap<String, Vec<(u32, i32)>> {
    let mut threads: BTreeMap<String, Vec<(u32, i32)>> = BTreeMap::new();
    for task in fs::read_dir("/proc/self/task").expect("procfs") {
        // A thread may end meanwhile.
        let Ok(stat) = fs::read_to_string(task.expect("a task").path().join("stat")) else {
            continue;
        };
        let (before, after) = stat.rsplit_once(')').expect("a name in parentheses");
        let name = before.split_once('(').expect("a name in parentheses").1;
        // proc(5): the third field is the first one here.
        let field = |number: usize| after.split_whitespace().nth(number - 3).expect("a field");
        if name.starts_with("argon2-") {
            let policy = field(41).parse().expect("a policy");
            let niceness = field(19).parse().expect("a niceness");
            let of_name = threads.entry(name.to_owned()).or_default();
            of_name.push((policy, niceness));
        }
    }
    threads
}

#[test]
fn the_threads_are_of_idle_priority_and_the_relief_is_nice_and_ordinary() {
    let own = rustix::process::nice(0).expect("a niceness");
    let _pool = pool(2, Arc::new(SeededRandom::new(1)));
    // Other tests start threads, which set their priority first of all.
    for _ in 0..1_000 {
        let threads = hashing_threads();
        let is_relief = |name: &String| name == "argon2-relief";
        let right = threads.iter().all(|(name, threads)| {
            let nice = (SCHED_OTHER, (own + 10).min(19));
            threads.iter().all(|thread| match is_relief(name) {
                true => *thread == nice,
                false => thread.0 == SCHED_IDLE,
            })
        });
        let expected = ["argon2-0", "argon2-1", "argon2-relief"];
        if right && expected.iter().all(|name| threads.contains_key(*name)) {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("{:?}", hashing_threads());
}

/// Randomness that the first thread never gets while it is held: it then stands
/// still in the middle of a job.
struct Standstill {
    is_held: Mutex<bool>,
    released: Condvar,
}

impl Standstill {
    fn release(&self) {
        *self.is_held.lock().expect("no holder panics") = false;
        self.released.notify_all();
    }
}

impl Random for Standstill {
    fn fill(&self, bytes: &mut [u8]) {
        if thread::current().name() == Some("argon2-0") {
            let is_held = self.is_held.lock().expect("no holder panics");
            let released = self.released.wait_while(is_held, |is_held| *is_held);
            drop(released.expect("no holder panics"));
        }
        SeededRandom::new(7).fill(bytes);
    }
}

#[tokio::test]
async fn what_a_thread_does_not_end_and_what_waits_behind_it_is_done_by_the_relief() {
    let random = Arc::new(Standstill {
        is_held: Mutex::new(true),
        released: Condvar::new(),
    });
    let pool = pool(1, Arc::clone(&random) as Arc<dyn Random>);
    let served = async {
        tokio::join!(hash(&pool), hash(&pool));
        hash(&pool).await;
    };
    let served = tokio::time::timeout(LONG, served).await;
    let reading = pool.reading();
    random.release();
    served.expect("served while the thread stands still");
    assert_eq!((reading.hashes, reading.relieved), (3, 3));

    // What was done twice counts once, and the thread goes on.
    while pool.reading().running > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    hash(&pool).await;
    assert_eq!(pool.hashes(), 4);
}

/// Threads that take all they can get of a core, until it is dropped.
struct Spinners(Arc<AtomicBool>);

impl Spinners {
    fn start(count: usize) -> Self {
        let go_on = Arc::new(AtomicBool::new(true));
        for _ in 0..count {
            let go_on = Arc::clone(&go_on);
            thread::spawn(move || {
                while go_on.load(Ordering::Relaxed) {
                    spin_loop();
                }
            });
        }
        Self(go_on)
    }
}

impl Drop for Spinners {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// Leaves this thread, and those that it starts, one core.
fn stay_on_one_core() {
    let all = sched_getaffinity(None).expect("the cores");
    let last = (0..CpuSet::MAX_CPU).rfind(|core| all.is_set(*core));
    let mut one = CpuSet::new();
    one.set(last.expect("a core"));
    sched_setaffinity(None, &one).expect("one core");
}

#[test]
fn passwords_are_hashed_where_others_use_up_the_core() {
    let (pool, spinners) = thread::spawn(|| {
        stay_on_one_core();
        let pool = pool(2, Arc::new(SeededRandom::new(1)));
        (pool, Spinners::start(2))
    })
    .join()
    .expect("threads");

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let served = runtime.block_on(async {
        let served = async {
            while pool.reading().relieved < 3 {
                tokio::join!(hash(&pool), hash(&pool));
            }
        };
        tokio::time::timeout(LONG, served).await
    });
    drop(spinners);
    served.expect("served beside those who spin");
}
