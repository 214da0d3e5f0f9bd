//! Guarantee 24: one damaged row harms only itself. Rows of each table are
//! damaged in the database, past the service, and everything beside them goes
//! on.

mod callers;
mod keys;
mod rotations;
mod rows;
mod vanished_key;

use std::time::Duration;

use countersign_proto::v1;
use countersign_tests::{
    Backend, Gateway, PASSWORD, PATIENCE, Person, Replica, Tally, World, WorldBuilder, eventually,
    reason,
};
use tokio::time::{Instant, sleep};

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

/// Those replicas that run: one that was started again may have refused.
fn running(world: &World) -> Vec<Gateway> {
    let addresses = world.replicas().iter().filter_map(Replica::try_address);
    addresses.map(Gateway::to).collect()
}

/// Starts the last replica again, beside what is damaged.
async fn start_again(world: &World) -> &'static str {
    let last = world.replicas().last().expect("a replica");
    match last.kill_and_try_start().await {
        Ok(()) => "OK",
        Err(_) => "a replica does not start",
    }
}

/// The calls of somebody whose rows are whole: sign-in, validation and refresh
/// on every replica, and a sign-out that every replica sees.
async fn calls_beside(world: &World, mina: &Person) -> Tally {
    let mut outcomes = Tally::default();
    let replicas = running(world);
    for here in &replicas {
        let signed_in = mina.at(here).try_password(PASSWORD).await;
        outcomes.add(&reason(&signed_in));
        let Ok(tokens) = signed_in else {
            continue;
        };
        for there in &replicas {
            outcomes.add(&as_outcome(there.judge(&tokens.access_token).await));
        }
        outcomes.add(&reason(&mina.at(here).sessions(&tokens).await));
        let refreshed = here.refresh(&tokens.refresh_token).await;
        outcomes.add(&reason(&refreshed));
        if let Ok(tokens) = refreshed {
            outcomes.add(&sign_out(here, &replicas, &tokens).await);
        }
    }
    outcomes
}

/// `OK` if every replica rejects the token within the bound.
async fn sign_out(here: &Gateway, replicas: &[Gateway], tokens: &v1::Tokens) -> String {
    let revoked = here.revoke(&tokens.access_token).await;
    if revoked.is_err() {
        return reason(&revoked);
    }
    let answered = Instant::now();
    for there in replicas {
        while there.judge(&tokens.access_token).await != "REVOKED" {
            if answered.elapsed() > BOUND {
                return "a revocation is not seen".into();
            }
            sleep(Duration::from_millis(20)).await;
        }
    }
    "OK".into()
}

/// A good token is to be found good.
fn as_outcome(word: String) -> String {
    if word == "VALID" { "OK".into() } else { word }
}

/// Whether a replica has warned of something by its name.
fn is_named(world: &World, name: &str) -> bool {
    let replicas = 0..world.replicas().len();
    let mut warnings = replicas.flat_map(|replica| world.log().warnings(replica, 0));
    warnings.any(|line| line.contains(name))
}
