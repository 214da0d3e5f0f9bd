//! A database server that is stopped where it is, and goes on.

use std::time::Duration;

use countersign_tests::{Backend, DatabaseServer, World, on_backends_at_once};
use tokio::time::{Instant, sleep};

use crate::SERVERS;
use crate::clients::Clients;

const STOPPED_FOR: Duration = Duration::from_secs(15);

#[test]
fn a_server_that_was_stopped_serves_again_at_once() {
    on_backends_at_once(&SERVERS, stop);
}

async fn stop(backend: Backend) {
    let Some(server) = DatabaseServer::start(backend).await else {
        return;
    };
    let world = World::on(backend)
        .on_server(&server)
        .set("database.max_connections", 16)
        .start()
        .await;
    let mut clients = Clients::begin(&world).await;
    clients.warm_up(&world.gateway()).await;

    server.freeze().await;
    let load = clients.go_on(&world);
    sleep(STOPPED_FOR).await;
    server.thaw().await;
    let healed = Instant::now();
    load.stop();
    let recovery = clients.recover(&world, healed).await;
    let meanwhile = load.outcomes().await;
    countersign_tests::say!(
        "{backend}, stopped for {STOPPED_FOR:?}: {recovery}; calls meanwhile: {meanwhile}"
    );
    recovery.assert_quick(&format!("{backend}, stopped"));
    meanwhile.assert_only(&[
        "OK",
        "DEPENDENCY_UNAVAILABLE",
        "no answer (DeadlineExceeded)",
    ]);
}
