//! A network that swallows connections: what was open never answers again, and
//! new connections work once it is healed.

use std::time::Duration;

use countersign_tests::{Backend, Mode, Tally, World, comes_true, on_backends_at_once};
use tokio::time::{Instant, sleep};

use crate::clients::{Clients, Recovery};
use crate::{RELEASED_WITHIN, SERVERS};

const CONNECTIONS: i64 = 16;

#[test]
fn connections_that_were_swallowed_are_replaced_at_once() {
    on_backends_at_once(&SERVERS, |backend| both(backend, Duration::from_secs(30)));
}

#[test]
#[ignore = "it takes some minutes"]
fn connections_that_were_swallowed_for_minutes_are_replaced_at_once() {
    on_backends_at_once(&SERVERS, |backend| both(backend, Duration::from_secs(180)));
}

/// With calls during the silence and a crowd after it; and with none, and a
/// single session after it, which does not touch every connection.
async fn both(backend: Backend, lasting: Duration) {
    let (busy, idle) = tokio::join!(
        swallow(backend, lasting, true),
        swallow(backend, lasting, false)
    );
    for seen in [busy, idle] {
        let what = &seen.what;
        seen.recovery.assert_quick(what);
        assert_eq!(seen.held, 0, "{what}: connections held dead");
        let honest = ["OK", "DEPENDENCY_UNAVAILABLE"];
        seen.meanwhile.assert_only(&honest);
    }
}

/// What came of a silence.
struct Seen {
    what: String,
    recovery: Recovery,
    meanwhile: Tally,
    /// Connections that never answer again and are held all the same.
    held: usize,
}

async fn swallow(backend: Backend, lasting: Duration, is_busy: bool) -> Seen {
    let world = World::on(backend)
        .with_line_at(0)
        .set("database.max_connections", CONNECTIONS)
        .start()
        .await;
    let mut clients = Clients::begin(&world).await;
    clients.warm_up(&world.gateway()).await;

    let line = world.database_line();
    line.set(Mode::Swallow);
    let load = is_busy.then(|| clients.go_on(&world));
    if !is_busy {
        clients.keep(1);
    }
    sleep(lasting).await;
    line.strand();
    line.set(Mode::Pass);
    let healed = Instant::now();
    let dead = line.stranded();
    if let Some(load) = &load {
        load.stop();
    }
    let recovery = clients.recover(&world, healed).await;
    let mut meanwhile = Tally::default();
    if let Some(load) = load {
        meanwhile = load.outcomes().await;
    }
    let limit = RELEASED_WITHIN.saturating_sub(healed.elapsed());
    comes_true(limit, || async { line.stranded() == 0 }).await;
    let held = line.stranded();
    let load = if is_busy { "under load" } else { "idle" };
    let what = format!("{backend}, {dead} connections swallowed for {lasting:?}, {load}");
    countersign_tests::say!(
        "{what}: {recovery}; connections held dead {held} of {dead}, after {:?}; calls meanwhile: \
         {meanwhile}",
        healed.elapsed()
    );
    Seen {
        what,
        recovery,
        meanwhile,
        held,
    }
}
