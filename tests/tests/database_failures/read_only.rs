//! A server that takes no writes for a while: what writes is unavailable and
//! never done, what reads goes on, and all works again by itself.

use std::time::Duration;

use countersign_tests::{
    Backend, DatabaseServer, Gateway, SERVICES, Tally, World, comes_true, eventually,
    on_backends_at_once,
};
use tokio::time::{Instant, sleep};

use crate::SERVERS;
use crate::calls::{Calls, DOWN};
use crate::clients::Clients;

/// The service's user: MariaDB lets its administrators write in any case.
pub(crate) const USER: &str = "countersign";
/// How often everything is tried while nothing can be written.
const ROUNDS: usize = 5;
/// Within which health tells, and tells that it is over.
const TOLD_WITHIN: Duration = Duration::from_secs(6);

#[test]
fn a_server_that_takes_no_writes_is_told_and_recovers() {
    on_backends_at_once(&SERVERS, refuse_writes);
}

async fn refuse_writes(backend: Backend) {
    let Some(server) = DatabaseServer::start(backend).await else {
        return;
    };
    add_user(&server).await;
    let world = World::on(backend)
        .on_server(&server)
        .as_user(USER)
        .set("validation.feed_bound", "2s")
        .set("validation.poll_interval", "200ms")
        .start()
        .await;
    let mut clients = Clients::begin(&world).await;
    clients.warm_up(&world.gateway()).await;

    let mut calls = Calls::new(&world).await;

    set_read_only(&server, true).await;
    let before = world.contents().await;
    let load = clients.go_on(&world);
    let mut writes = Tally::default();
    let mut reads = Tally::default();
    let told = becomes_serving(&world.gateway(), false).await;
    for _ in 0..ROUNDS {
        calls.writes(&world, &mut writes).await;
        calls.reads(&mut reads).await;
        sleep(Duration::from_millis(500)).await;
    }
    load.stop();
    writes.add_all(&load.outcomes().await);
    let after = world.contents().await;

    set_read_only(&server, false).await;
    let healed = Instant::now();
    let recovery = clients.recover(&world, healed).await;
    let over = becomes_serving(&world.gateway(), true).await;
    countersign_tests::say!(
        "{backend}, read-only and healed: calls that write meanwhile: {writes}; calls that read: \
         {reads}; numbers changed in the database {}; health told it after {told:?}, and that it \
         is over after {over:?}; {recovery}",
        changed(&before, &after)
    );
    writes.assert_only(&[DOWN]);
    reads.assert_only(&["OK"]);
    assert_eq!(after, before, "{backend}: nothing is written");
    assert!(told.is_some() && over.is_some(), "{backend}: health tells");
    recovery.assert_quick(&format!("{backend}, read-only"));
    calls.work_again(&world).await.assert_only(&["OK"]);
    calls.proofs_again(&world).await.assert_only(&["OK"]);
}

/// Adds the service's user, who is no administrator where that matters.
pub(crate) async fn add_user(server: &DatabaseServer) {
    if server.backend() == Backend::Postgres {
        let create = format!("CREATE ROLE {USER} SUPERUSER LOGIN");
        server.execute(&create).await;
        return;
    }
    let create = format!("CREATE USER '{USER}'@'%'");
    server.execute(&create).await;
    let grant = format!("GRANT ALL ON `countersign\\_sys\\_%`.* TO '{USER}'@'%'");
    server.execute(&grant).await;
}

/// Makes a server refuse writes, or take them again.
pub(crate) async fn set_read_only(server: &DatabaseServer, is_read_only: bool) {
    let value = if is_read_only { "on" } else { "off" };
    if server.backend() == Backend::MariaDb {
        let set = format!("SET GLOBAL read_only = {value}");
        server.execute(&set).await;
        return;
    }
    let set = format!("ALTER SYSTEM SET default_transaction_read_only = {value}");
    server.execute(&set).await;
    server.execute("SELECT pg_reload_conf()").await;
    // PostgreSQL tells its open sessions before it lets a new one in.
    let query =
        format!("SELECT 'yes' WHERE current_setting('default_transaction_read_only') = '{value}'");
    let is_told = || async { (!server.texts(&query).await.is_empty()).then_some(()) };
    eventually(
        "the server has heard of it",
        Duration::from_secs(30),
        is_told,
    )
    .await;
}

/// How many numbers differ.
pub(crate) fn changed(before: &[String], after: &[String]) -> usize {
    let differ = before.iter().zip(after).filter(|(then, now)| then != now);
    differ.count() + before.len().abs_diff(after.len())
}

/// Waits until the services that write say so, and the others go on serving.
pub(crate) async fn becomes_serving(gateway: &Gateway, is_serving: bool) -> Option<Duration> {
    let [auth, writing @ ..] = SERVICES;
    let is_told = || async {
        for service in writing {
            if gateway.is_serving(service).await != is_serving {
                return false;
            }
        }
        gateway.is_serving(auth).await && gateway.is_serving("").await
    };
    comes_true(TOLD_WITHIN, is_told).await
}
