//! A full disk under SQLite: what writes is unavailable and leaves nothing behind,
//! tokens are validated, and all works again by itself once there is room.
//!
//! The disk is full for the server alone: the system lets its files grow no
//! further, in the middle of the next page that it would write.

use std::fs;
use std::time::Duration;

use countersign_tests::{Backend, Tally, World, comes_true, on_a_backend};
use tokio::time::{Instant, sleep};

use crate::calls::{Calls, DOWN};
use crate::clients::Clients;
use crate::read_only::{becomes_serving, changed};

/// How often everything is tried while the disk is full.
const ROUNDS: usize = 6;
/// Less than a page, so that the first one is cut off.
const LEFT: u64 = 1_000;
const FULL_FOR_LONGER_THAN: Duration = Duration::from_secs(4);

#[test]
fn a_full_disk_is_told_and_leaves_nothing_half_written() {
    on_a_backend(Backend::Sqlite, fill_the_disk);
}

async fn fill_the_disk(backend: Backend) {
    let world = World::on(backend)
        .with_files_that_fill()
        .set("validation.feed_bound", "2s")
        .set("validation.poll_interval", "200ms")
        .start()
        .await;
    let mut clients = Clients::begin(&world).await;
    clients.warm_up(&world.gateway()).await;
    let mut calls = Calls::new(&world).await;
    let log = world.directory().join("countersign.db-wal");
    let size = fs::metadata(&log).expect("the write-ahead log").len();

    world.replica(0).fill_files(size + LEFT).await;
    let full = Instant::now();
    let before = world.contents().await;
    let load = clients.go_on(&world);
    let (mut writes, mut reads) = (Tally::default(), Tally::default());
    let told = becomes_serving(&world.gateway(), false).await;
    for _ in 0..ROUNDS {
        calls.writes(&world, &mut writes).await;
        calls.reads(&mut reads).await;
        sleep(Duration::from_millis(500)).await;
    }
    load.stop();
    writes.add_all(&load.outcomes().await);
    let after = world.contents().await;
    let lasted = full.elapsed();

    world.replica(0).make_room().await;
    let healed = Instant::now();
    let recovery = clients.recover(&world, healed).await;
    let over = becomes_serving(&world.gateway(), true).await;
    let again = calls.work_again(&world).await;
    let proofs = calls.proofs_again(&world).await;
    let sound = integrity(&world).await;
    countersign_tests::say!(
        "{backend}, a full disk for {lasted:?}: calls that write meanwhile: {writes}; calls that \
         read: {reads}; numbers changed in the database {} of {}; health told it after {told:?}, \
         and that it is over after {over:?}; {recovery}; the same calls again: {again}, proofs: {proofs}; \
         integrity: {sound}",
        changed(&before, &after),
        before.len()
    );
    assert!(lasted > FULL_FOR_LONGER_THAN, "the feed's bound has passed");
    writes.assert_only(&[DOWN]);
    reads.assert_only(&["OK"]);
    assert_eq!(after, before, "nothing is written");
    assert!(told.is_some() && over.is_some(), "health tells");
    recovery.assert_quick("a full disk");
    again.assert_only(&["OK"]);
    // SQLite writes at the commit, before which a proof is spent for good.
    proofs.assert_only(&["OK", "PROOF_INVALID"]);
    assert_eq!(sound, "ok");
    killed_while_full(&world, &clients).await;
}

/// A server that is killed while the disk is full has lost nothing at the next
/// start.
async fn killed_while_full(world: &World, clients: &Clients) {
    let log = world.directory().join("countersign.db-wal");
    let size = fs::metadata(&log).expect("the write-ahead log").len();
    world.replica(0).fill_files(size + LEFT).await;
    let before = world.contents().await;
    let load = clients.go_on(world);
    sleep(Duration::from_secs(1)).await;
    world.replica(0).kill().await;
    load.stop();
    load.outcomes().await;
    let after = world.contents().await;
    world.replica(0).start().await;
    let is_refreshed = || async { clients.refresh_one(&world.gateway()).await };
    let took = comes_true(Duration::from_secs(3), is_refreshed).await;
    let sound = integrity(world).await;
    countersign_tests::say!(
        "SQLite, killed on a full disk: numbers changed in the database {}; refreshes {took:?} \
         after the next start; integrity: {sound}",
        changed(&before, &after)
    );
    assert_eq!(after, before, "nothing is half written");
    assert!(took.is_some(), "the session is not lost");
    assert_eq!(sound, "ok");
}

/// What SQLite finds in its file: `ok`.
async fn integrity(world: &World) -> String {
    let mut found = world.texts("PRAGMA integrity_check").await;
    let strays = world.rows("pragma_foreign_key_check").await;
    found.retain(|line| line != "ok");
    if found.is_empty() && strays == 0 {
        return "ok".into();
    }
    format!("{found:?}, {strays} stray rows")
}
