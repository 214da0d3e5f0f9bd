//! Guarantee 23: made-up names starve nobody. A flood of sign-ins, sends and
//! sign-ups for addresses that nobody has, from one source and from thousands,
//! on the in-process store and on a Redis with a limit of memory. Meanwhile and
//! afterwards people sign in, by password and by code, from sources of their own.
//!
//! The long form, 300,000 calls against each store:
//! `cargo test -p countersign-tests --test guarantee_23_invented_names -- --ignored`.

mod flood;
mod people;

use std::time::Duration;

use countersign_tests::{Backend, RedisServer, World, WorldBuilder, on_a_backend};

use flood::{Sources, flood};
use people::People;

/// Comparisons of passwords that one source may cause, over all accounts.
const SOURCE_BUDGET: usize = 100;
const SENDS_PER_SOURCE: usize = 60;
/// What the server may take more, in bytes, hashing and the store together.
const MEMORY: u64 = 128 << 20;

/// How large the flood is, and the Redis that it goes to.
#[derive(Debug, Clone, Copy)]
struct Size {
    from_one_source: usize,
    from_many: usize,
    sources: usize,
    redis_megabytes: usize,
    /// Between two visits of a person.
    pause: Duration,
}

const SHORT: Size = Size {
    from_one_source: 6_000,
    from_many: 6_000,
    sources: 6_000,
    redis_megabytes: 32,
    pause: Duration::from_millis(250),
};
const LONG: Size = Size {
    from_one_source: 150_000,
    from_many: 150_000,
    sources: 10_000,
    redis_megabytes: 64,
    pause: Duration::from_secs(10),
};

#[test]
fn they_starve_nobody_in_process() {
    on_a_backend(Backend::Sqlite, async |backend| {
        in_process(backend, &SHORT).await;
    });
}

#[test]
fn they_starve_nobody_on_redis() {
    on_a_backend(Backend::Postgres, async |backend| {
        on_redis(backend, &SHORT).await;
    });
}

#[test]
#[ignore = "300,000 calls: many minutes"]
fn three_hundred_thousand_starve_nobody_in_process() {
    on_a_backend(Backend::Sqlite, async |backend| {
        in_process(backend, &LONG).await;
    });
}

#[test]
#[ignore = "300,000 calls: many minutes"]
fn three_hundred_thousand_starve_nobody_on_redis() {
    on_a_backend(Backend::Postgres, async |backend| {
        on_redis(backend, &LONG).await;
    });
}

async fn in_process(backend: Backend, size: &Size) {
    let world = world(backend).start().await;
    let people = People::of(&world, size.pause).await;
    let idle = world.replica(0).resident_memory();
    let _ = world.replica(0).take_peak_memory();
    let one = flood("in process", &world, Sources::One, size.from_one_source).await;
    let many = Sources::Many(size.sources);
    let many = flood("in process", &world, many, size.from_many).await;
    let served = people.end("in process").await;
    let most = world.replica(0).take_peak_memory().saturating_sub(idle);
    countersign_tests::say!("guarantee 23 in process: memory at the most {most} bytes more");
    assert!(most <= MEMORY, "{most} bytes");
    one.check();
    many.check();
    served.check();
}

async fn on_redis(backend: Backend, size: &Size) {
    let Some(redis) = RedisServer::start().await else {
        countersign_tests::say!("skipped: redis-server is not installed");
        return;
    };
    redis.limit_memory(size.redis_megabytes << 20).await;
    let world = world(backend).redis(redis.url()).start().await;
    let people = People::of(&world, size.pause).await;
    let one = flood("on Redis", &world, Sources::One, size.from_one_source).await;
    // Each admitted call may leave a few keys, each refused one none.
    let keys = redis.keys().await;
    let bound = 10 * (SOURCE_BUDGET + SENDS_PER_SOURCE) + 8 * people.visits();
    let many = Sources::Many(size.sources);
    let many = flood("on Redis", &world, many, size.from_many).await;
    let served = people.end("on Redis").await;
    countersign_tests::say!(
        "guarantee 23 on Redis with {} MB: keys after the flood from one source: {keys}, at most \
         {bound} expected; after the one from {}: {}; memory {} MB; refused for lack of memory: {}",
        size.redis_megabytes,
        size.sources,
        redis.keys().await,
        redis.figure("memory", "used_memory").await >> 20,
        redis.figure("errorstats", "errorstat_OOM").await,
    );
    one.check();
    many.check();
    served.check();
    assert!(keys <= bound, "{keys} keys");
}

/// Quick hashing, a short queue, and the limits that matter here; those on
/// messages in all would refuse the people too.
fn world(backend: Backend) -> WorldBuilder {
    World::on(backend)
        .set("passwords.queue", 64)
        .set("passwords.attempts_per_source", 10)
        .set("passwords.failures_per_source", SOURCE_BUDGET as i64)
        .set("verification.sends_per_source", SENDS_PER_SOURCE as i64)
        .set("verification.sends_per_country", 100_000_000)
        .set("verification.sends_in_all", 100_000_000)
        .set("log.filter", "warn,countersign_server::announcement=info")
}
