//! Replicas that start with clocks far ahead, or jump there, and clean: no row
//! is deleted before its time by the database's clock.

use std::time::Duration;

use countersign_tests::{
    Backend, PASSWORD, PATIENCE, ShiftedClock, World, eventually, on_backends_at_once, reason,
};
use tokio::time::sleep;

use crate::SHARED;

const HOUR: i64 = 3_600_000;
const TABLES: [&str; 5] = [
    "users",
    "identifiers",
    "sessions",
    "revocations",
    "signing_keys",
];
/// By how many milliseconds the clocks are ahead of the replicas that start
/// late.
const AHEAD: [i64; 3] = [HOUR, 24 * HOUR, 10 * 24 * HOUR];
/// What a start needs until it has cleaned.
const CLEANING_AT_START: Duration = Duration::from_secs(3);
/// Longer than between two cleanings.
const CLEANING_IS_DUE: Duration = Duration::from_secs(63);

#[test]
fn clocks_that_are_ahead_delete_nothing_early() {
    on_backends_at_once(&SHARED, clean);
}

async fn clean(backend: Backend) {
    let mut builder = World::on(backend)
        .replicas(2 + AHEAD.len())
        .set("database.max_connections", 4)
        .set("validation.feed_bound", "1s")
        .set("validation.poll_interval", "200ms")
        .set("tokens.idle_ttl", "10m");
    let mut clocks = Vec::new();
    for millis in [0].into_iter().chain(AHEAD) {
        let Some(clock) = ShiftedClock::shifted_by(millis) else {
            return;
        };
        builder = builder.clock_at(clocks.len() + 1, &clock);
        clocks.push(clock);
    }
    let world = builder.build().await;
    let (right, jumping) = (world.replica(0), world.replica(1));
    right.start().await;
    jumping.start().await;

    let mina = world.sign_up().await;
    let mut live = Vec::new();
    for _ in 0..5 {
        live.push(mina.sign_in().await);
        let ended = mina.sign_in().await;
        let revoked = mina.gateway.revoke(&ended.refresh_token).await;
        revoked.expect("revoked");
    }
    let rotated = || async { (right.run(&["keys", "rotate"]).await.code == 0).then_some(()) };
    eventually("the keys are rotated", PATIENCE, rotated).await;
    let address = world.new_email();
    let pending = mina.gateway.sign_up_unproven(&address, PASSWORD).await;
    let pending = pending.expect("an answer");
    let code = world.read_code(&address).await;
    let before = count(&world).await;

    for (index, millis) in AHEAD.into_iter().enumerate() {
        world.replica(index + 2).start().await;
        sleep(CLEANING_AT_START).await;
        tell(
            &world,
            &before,
            &format!("started {} h ahead", millis / HOUR),
        )
        .await;
    }
    clocks[0].shift_by(24 * HOUR);
    sleep(CLEANING_IS_DUE).await;
    let after = tell(&world, &before, "that jumped 24 h ahead, cleaning due").await;

    let confirmed = mina.gateway.confirm(&pending.verification_id, &code).await;
    let mut refreshed = 0;
    let mut validated = 0;
    for tokens in &live {
        validated += usize::from(mina.gateway.judge(&tokens.access_token).await == "VALID");
        let outcome = mina.gateway.refresh(&tokens.refresh_token).await;
        refreshed += usize::from(outcome.is_ok());
    }
    countersign_tests::say!(
        "guarantee 22 on {backend}, afterwards: a pending sign-up is confirmed: {}; tokens of the \
         retired key are good {validated} of {}, sessions live {refreshed} of {}",
        reason(&confirmed),
        live.len(),
        live.len()
    );
    let lost = lost(&before, &after);
    assert_eq!(lost, [0; TABLES.len()], "{backend}: {TABLES:?}");
    assert_eq!(reason(&confirmed), "OK");
    assert_eq!((validated, refreshed), (live.len(), live.len()));
}

async fn count(world: &World) -> [i64; TABLES.len()] {
    let mut rows = [0; TABLES.len()];
    for (count, table) in rows.iter_mut().zip(TABLES) {
        *count = world.rows(table).await;
    }
    rows
}

fn lost(before: &[i64; TABLES.len()], after: &[i64; TABLES.len()]) -> [i64; TABLES.len()] {
    std::array::from_fn(|table| (before[table] - after[table]).max(0))
}

async fn tell(world: &World, before: &[i64; TABLES.len()], what: &str) -> [i64; TABLES.len()] {
    let after = count(world).await;
    countersign_tests::say!(
        "guarantee 22 on {}, rows of {TABLES:?} deleted early by a replica {what}: {:?} of \
         {before:?}",
        world.backend(),
        lost(before, &after)
    );
    after
}
