//! SQLite's file removed or replaced under a running server: what would be lost
//! is not acknowledged, and health tells.

use std::fs;
use std::path::Path;
use std::time::Duration;

use countersign_tests::{
    Backend, PASSWORD, PATIENCE, SERVICES, World, comes_true, email, on_a_backend, reason,
};

use crate::calls::DOWN;

/// Within which an idle server notices: it pings every two seconds.
const NOTICED_WITHIN: Duration = Duration::from_secs(5);

#[test]
fn a_removed_file_takes_nothing_and_a_new_one_is_told_of() {
    on_a_backend(Backend::Sqlite, remove);
}

#[test]
fn a_replaced_file_takes_nothing_until_the_next_start() {
    on_a_backend(Backend::Sqlite, replace);
}

async fn world(backend: Backend) -> World {
    World::on(backend)
        .set("validation.feed_bound", "2s")
        .set("validation.poll_interval", "200ms")
        .start()
        .await
}

async fn remove(backend: Backend) {
    let world = world(backend).await;
    world.sign_up().await;
    fs::remove_file(world.directory().join("countersign.db")).expect("removed");
    remove_write_ahead_log(world.directory());
    assert_lost(&world, "it was removed").await;

    let from = world.log().len();
    world.replica(0).restart().await;
    let warnings = world.log().warnings(0, from);
    let of_it = warnings
        .iter()
        .filter(|line| line.contains("the database is empty"));
    assert_eq!(of_it.count(), 1, "{warnings:?}");
    world.sign_up().await;

    let from = world.log().len();
    world.replica(0).restart().await;
    let warnings = world.log().warnings(0, from);
    let is_told = warnings
        .iter()
        .any(|line| line.contains("the database is empty"));
    assert!(!is_told, "{warnings:?}");
}

async fn replace(backend: Backend) {
    let world = world(backend).await;
    let mina = world.sign_up().await;
    let copy = world.directory().join("copy.db");
    let copied = world
        .replica(0)
        .run(&["backup", &copy.to_string_lossy()])
        .await;
    assert_eq!(copied.code, 0, "{}", copied.stderr);
    let late = world.sign_up().await;
    fs::rename(&copy, world.directory().join("countersign.db")).expect("replaced");
    remove_write_ahead_log(world.directory());
    assert_lost(&world, "it was replaced").await;

    world.replica(0).restart().await;
    let gateway = world.gateway();
    let early = gateway.sign_in(email(&mina.email), PASSWORD).await;
    assert_eq!(reason(&early), "OK");
    let after_the_copy = gateway.sign_in(email(&late.email), PASSWORD).await;
    assert_eq!(reason(&after_the_copy), "SIGN_IN_REFUSED");
}

fn remove_write_ahead_log(directory: &Path) {
    for name in ["countersign.db-wal", "countersign.db-shm"] {
        fs::remove_file(directory.join(name)).expect("removed");
    }
}

async fn assert_lost(world: &World, what: &str) {
    let gateway = world.gateway();
    let noticed = comes_true(NOTICED_WITHIN, || async {
        world
            .log()
            .warnings(0, 0)
            .iter()
            .any(|line| line.contains(what))
    })
    .await;
    let mut silent = Vec::new();
    for service in SERVICES {
        let told = comes_true(PATIENCE, || async { !gateway.is_serving(service).await }).await;
        silent.extend(told.is_none().then_some(service));
    }
    let sign_up = gateway.sign_up_unproven(&world.new_email(), PASSWORD).await;
    let sign_in = gateway.sign_in(email("nobody@example.com"), PASSWORD).await;
    countersign_tests::say!(
        "{}, the file was lost ({what}): noticed after {noticed:?}, health silent of {silent:?}; \
         a sign-up: {}, a sign-in: {}",
        world.backend(),
        reason(&sign_up),
        reason(&sign_in)
    );
    assert!(noticed.is_some(), "it is in the log");
    assert_eq!(silent, [""; 0], "health tells");
    assert_eq!([reason(&sign_up), reason(&sign_in)], [DOWN, DOWN]);
    let named = world.log().warnings(0, 0);
    let named = named.iter().filter(|line| line.contains(what)).count();
    assert_eq!(named, 1, "it is told once");
}
