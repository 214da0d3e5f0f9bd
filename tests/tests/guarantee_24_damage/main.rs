//! Guarantee 24: one damaged row harms only itself. Rows of each table are
//! damaged in the database, past the service, and everything beside them goes
//! on. So are records in Redis.

mod callers;
mod counters;
mod federated_identities;
mod keys;
mod messages;
mod numbers;
mod records;
mod rotations;
mod rows;
mod second_factors;
mod vanished_key;

use std::time::Duration;

use countersign_tests::{Backend, PATIENCE, World, WorldBuilder, eventually};

const EVERY: [Backend; 3] = [Backend::Sqlite, Backend::Postgres, Backend::MariaDb];
/// Within which another replica learns of a change.
const BOUND: Duration = Duration::from_secs(2);

/// A world in which replicas learn of changes soon.
fn world(backend: Backend) -> WorldBuilder {
    World::on(backend)
        .replicas(backend.replicas())
        .set("database.max_connections", 4)
        .set("validation.feed_bound", "2s")
        .set("validation.poll_interval", "200ms")
}

/// Lets the next key sign, as soon as every replica can know it.
async fn rotate(world: &World) {
    let rotated = || async {
        let finished = world.replica(0).run(&["keys", "rotate"]).await;
        (finished.code == 0).then_some(())
    };
    eventually("the keys are rotated", PATIENCE, rotated).await;
}

/// Starts the last replica again, beside what is damaged.
async fn start_again(world: &World) -> &'static str {
    let last = world.replicas().last().expect("a replica");
    match last.kill_and_try_start().await {
        Ok(()) => "OK",
        Err(_) => "a replica does not start",
    }
}

/// Whether a replica has warned of something by its name.
fn is_named(world: &World, name: &str) -> bool {
    let replicas = 0..world.replicas().len();
    let mut warnings = replicas.flat_map(|replica| world.log().warnings(replica, 0));
    warnings.any(|line| line.contains(name))
}
