//! What the verbs cost beside a bare script. To be run by hand, as it takes a
//! while and says little on a busy machine:
//! `cargo test --release -p countersign-storage --test ephemeral_on_redis -- --ignored --nocapture throughput`

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use countersign_domain::ports::{Budget, Comparison, EphemeralStore as _, Guess, Spending};
use countersign_storage::Redis;
use deadpool_redis::redis::{AsyncConnectionConfig, Client, Script};
use tokio::sync::Mutex;

use crate::servers::{RedisServer, store};
use crate::{MINUTE, guess, keep_secret};

const IN_FLIGHT: usize = 64;
const ROUND: Duration = Duration::from_secs(2);

#[expect(clippy::disallowed_methods, reason = "measures throughput")]
fn now() -> Instant {
    Instant::now()
}

/// How many calls a second 64 callers make, each of whom calls again and again.
async fn calls_per_second<F>(call: impl Fn(usize, u32) -> F + Send + Sync + 'static) -> f64
where
    F: Future<Output = ()> + Send + 'static,
{
    let started = now();
    let (call, calls) = (Arc::new(call), Arc::new(AtomicU32::new(0)));
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..IN_FLIGHT {
        let (call, calls) = (Arc::clone(&call), Arc::clone(&calls));
        callers.spawn(async move {
            let mut number = 0;
            while started.elapsed() < ROUND {
                number += 1;
                call(caller, number).await;
                calls.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    callers.join_all().await;
    f64::from(calls.load(Ordering::Relaxed)) / started.elapsed().as_secs_f64()
}

fn ample(name: String) -> Budget {
    Budget {
        name,
        limit: u32::MAX,
        window: MINUTE,
    }
}

/// The script that everything is compared with, over connections that carry many
/// calls at once, or one at a time as those of most pools do.
async fn bare_script(server: &RedisServer, connections: usize, one_at_a_time: bool) -> f64 {
    let client = Client::open(server.url()).expect("a URL");
    let config = AsyncConnectionConfig::new().set_pipeline_buffer_size(256);
    let mut opened = Vec::new();
    for _ in 0..connections {
        let connection = client.get_multiplexed_async_connection_with_config(&config);
        opened.push(Mutex::new(connection.await.expect("a connection")));
    }
    let opened = Arc::new(opened);
    let script = Arc::new(Script::new("return redis.call('INCR', KEYS[1])"));
    calls_per_second(move |caller, _| {
        let (opened, script) = (Arc::clone(&opened), Arc::clone(&script));
        async move {
            let key = format!("bare {caller}");
            let mut taken = opened[caller % opened.len()].lock().await;
            let mut shared = taken.clone();
            let count = if one_at_a_time {
                script.key(key).invoke_async::<u32>(&mut *taken).await
            } else {
                drop(taken);
                script.key(key).invoke_async::<u32>(&mut shared).await
            };
            count.expect("a count");
        }
    })
    .await
}

/// Five budgets, of which so many are charged for the first time.
async fn spend_of_five(redis: &Arc<Redis>, round: u32, new: u32) -> f64 {
    let redis = Arc::clone(redis);
    calls_per_second(move |caller, number| {
        let redis = Arc::clone(&redis);
        async move {
            let budgets = [0, 1, 2, 3, 4].map(|n| {
                ample(if n < new {
                    format!("new {round} {caller} {number} {n}")
                } else {
                    format!("known {caller} {n}")
                })
            });
            let spent = redis.spend(&budgets).await.expect("spend");
            assert_eq!(spent, Spending::Spent);
        }
    })
    .await
}

async fn wrong_guesses(redis: &Arc<Redis>) -> f64 {
    for caller in 0..IN_FLIGHT {
        let kept = keep_secret(redis, &format!("code {caller}")).await;
        kept.expect("supersede");
    }
    let redis = Arc::clone(redis);
    calls_per_second(move |caller, _| {
        let redis = Arc::clone(&redis);
        async move {
            let key = format!("code {caller}");
            let guess = Guess {
                tries: u32::MAX,
                limit: u32::MAX,
                ..guess(b"0")
            };
            let compared = redis.compare(&key, guess, None).await;
            let compared = compared.expect("compare");
            assert!(matches!(compared, Comparison::Differs { .. }));
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn throughput_of_spend_and_compare_beside_a_bare_script() {
    let Some((redis, server)) = store(&[]).await else {
        return;
    };
    let redis = Arc::new(redis);
    for round in 1..=3 {
        let pooled = bare_script(&server, 16, true).await;
        let shared = bare_script(&server, 2, false).await;
        println!("round {round}: the bare script {pooled:.0}/s pooled, {shared:.0}/s shared");
        for (what, rate) in [
            ("spend of 5", spend_of_five(&redis, round, 0).await),
            ("spend of 5, 2 new", spend_of_five(&redis, round, 2).await),
            ("compare", wrong_guesses(&redis).await),
        ] {
            let (of_pooled, of_shared) = (rate / pooled, rate / shared);
            println!("  {what}: {rate:.0}/s = {of_pooled:.2} pooled = {of_shared:.2} shared");
        }
    }
}
