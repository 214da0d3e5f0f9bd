//! How long a revocation is kept comes from what was issued, not from what the
//! configuration says today: restarts with shorter and longer access tokens.

use std::time::Duration;

use countersign_tests::{Backend, Person, Tally, World, ask_again_and_again, on_backends_at_once};
use tokio::time::{Instant, sleep};

const EVERY: [Backend; 3] = [Backend::Sqlite, Backend::Postgres, Backend::MariaDb];
/// Longer than a replica whose tokens live for 10 s would keep a revocation if
/// it went by that, margins included.
const LONG_AFTER: Duration = Duration::from_secs(80);
/// How long another replica may go on accepting a revoked token.
const BOUND: Duration = Duration::from_secs(2);
const SOON_AFTER: Duration = Duration::from_secs(3);

#[test]
fn no_restart_with_shorter_or_longer_tokens_revives_a_revoked_one() {
    on_backends_at_once(&EVERY, restarts);
}

async fn restarts(backend: Backend) {
    let world = World::on(backend)
        .replicas(backend.replicas())
        .set("database.max_connections", 4)
        .set("tokens.access_ttl", "20m")
        .start()
        .await;
    let mina = world.sign_up().await;
    let kept = mina.sign_in().await.access_token;
    let mut revoked = sign_in(&mina, 8).await;
    let later = sign_in(&mina, 8).await;
    for token in &revoked {
        mina.gateway.revoke(token).await.expect("revoked");
    }

    let restarted = world.replica(0);
    restarted.configure("tokens.access_ttl", "10s");
    restarted.restart().await;
    for token in later {
        world.gateway().revoke(&token).await.expect("revoked");
        revoked.push(token);
    }
    sleep(BOUND).await;
    let mut stages = vec![("shorter", ask(&world, &revoked, LONG_AFTER).await)];
    // A start deletes what has outlived its use.
    restarted.restart().await;
    stages.push((
        "shorter, and cleaned",
        ask(&world, &revoked, SOON_AFTER).await,
    ));
    restarted.configure("tokens.access_ttl", "30m");
    restarted.restart().await;
    stages.push(("longer", ask(&world, &revoked, SOON_AFTER).await));

    let rows = world.rows("revocations").await;
    let mut accepted = 0;
    for (stage, tally) in &stages {
        countersign_tests::say!(
            "guarantee 12 on {backend}, restarted with tokens that live {stage}: VALID {} of {} \
             answers about {} revoked tokens ({tally})",
            tally.count("VALID"),
            tally.total(),
            revoked.len(),
        );
        accepted += tally.count("VALID");
    }
    countersign_tests::say!("guarantee 12 on {backend}: {rows} of 16 revocations are kept");
    assert_eq!(accepted, 0, "{backend}: revoked tokens were accepted");
    assert_eq!(rows, 16, "{backend}: revocations are kept");
    for replica in world.replicas() {
        assert_eq!(replica.gateway().judge(&kept).await, "VALID");
    }
}

async fn sign_in(mina: &Person, times: usize) -> Vec<String> {
    let mut tokens = Vec::new();
    for _ in 0..times {
        tokens.push(mina.sign_in().await.access_token);
    }
    tokens
}

/// What all replicas say about revoked tokens for a while.
async fn ask(world: &World, revoked: &[String], lasting: Duration) -> Tally {
    let until = Instant::now() + lasting;
    let pause = Duration::from_millis(20);
    let mut asking = tokio::task::JoinSet::new();
    for replica in world.replicas() {
        asking.spawn(ask_again_and_again(
            replica.gateway(),
            revoked.to_vec(),
            pause,
            until,
        ));
    }
    let mut tally = Tally::default();
    for of_one in asking.join_all().await {
        tally.add_all(&of_one);
    }
    tally
}
