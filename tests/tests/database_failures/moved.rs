//! A primary that becomes read-only while its address moves to another: the old
//! one goes on answering over the connections that are open, and refuses to
//! write.

use std::time::Duration;

use countersign_tests::{
    Backend, DatabaseServer, SERVICES, Times, World, comes_true, eventually, on_backends_at_once,
    reason,
};
use tokio::time::{Instant, sleep};

use crate::SERVERS;
use crate::clients::Clients;
use crate::read_only::{USER, add_user, set_read_only};

const READ_ONLY_FOR: Duration = Duration::from_secs(5);
/// Within which no connection leads to the old primary any more: what it answers
/// is out of date.
const RELEASED_WITHIN: Duration = Duration::from_secs(5);
/// Within which a sign-out on the new primary is known to the replica that
/// followed it.
const BOUND: Duration = Duration::from_secs(2);
const SIGN_OUTS: usize = 20;

#[test]
fn a_primary_that_moved_is_followed() {
    on_backends_at_once(&SERVERS, follow);
}

async fn follow(backend: Backend) {
    let Some(pair) = Pair::start(backend).await else {
        return;
    };
    let world = World::on(backend)
        .on_server(&pair.old)
        .as_user(USER)
        .replicas(2)
        .with_line_at(0)
        .set("database.max_connections", 8)
        .set("validation.feed_bound", "2s")
        .set("validation.poll_interval", "200ms")
        .build()
        .await;
    world.replica(0).start().await;
    let mut clients = Clients::begin(&world).await;
    clients.warm_up(&world.gateway()).await;
    let line = world.database_line();
    let before = line.open_to(pair.old.address());

    set_read_only(&pair.old, true).await;
    let load = clients.go_on(&world);
    sleep(READ_ONLY_FOR).await;
    let writable = SERVICES[1..].iter();
    let gateway = world.gateway();
    let mut serving = 0;
    for service in writable {
        serving += usize::from(gateway.is_serving(service).await);
    }
    // A call in flight while the address moves may succeed on the new primary.
    load.stop();
    let meanwhile = load.outcomes().await;
    let database = world.database_name().expect("a database on a server");
    pair.hand_over(database).await;
    line.lead_to(pair.new.address());
    let moved = Instant::now();
    let recovery = clients.recover(&world, moved).await;

    let old = pair.old.address();
    let limit = RELEASED_WITHIN.saturating_sub(moved.elapsed());
    let url = pair.new.url_of(USER, database);
    let (released, seen) = tokio::join!(
        comes_true(limit, || async { line.open_to(old) == 0 }),
        sign_outs_seen(&world, url)
    );
    let held = line.open_to(old);
    countersign_tests::say!(
        "{backend}, read-only and moved: {recovery}; connections held to the old primary {held} of \
         {before}, let go {released:?} after that; sign-outs on the new one seen: {seen}; services that said that they serve while it was read-only: \
         {serving} of 2; calls meanwhile: {meanwhile}"
    );
    recovery.assert_quick(&format!("{backend}, moved"));
    assert!(released.is_some(), "{backend}: {held} connections are held");
    assert!(seen.max() <= BOUND, "{backend}: {seen}");
    assert_eq!(serving, 0, "{backend}: what cannot write does not serve");
    meanwhile.assert_only(&["DEPENDENCY_UNAVAILABLE"]);
    let mina = world.sign_up().await;
    let signed_in = mina.try_password(countersign_tests::PASSWORD).await;
    assert_eq!(reason(&signed_in), "OK");
}

/// When the replica that followed the primary knows of sign-outs by way of a
/// server that begins with the new one.
async fn sign_outs_seen(world: &World, url: String) -> Times {
    world.replica(1).configure("database.url", url);
    world.replica(1).start().await;
    let (here, there) = (world.replica(1).gateway(), world.gateway());
    let mina = world.sign_up_at(&here).await;
    let mut took = Vec::new();
    for _ in 0..SIGN_OUTS {
        let tokens = mina.sign_in().await;
        let revoked = here.revoke(&tokens.access_token).await;
        revoked.expect("revoked");
        let is_known = || async {
            let word = there.judge(&tokens.access_token).await;
            (word == "REVOKED").then_some(())
        };
        let ((), after) = eventually("it is known", Duration::from_secs(30), is_known).await;
        took.push(after);
    }
    Times::of(took)
}

/// A primary, and the one that takes its place.
struct Pair {
    old: DatabaseServer,
    new: DatabaseServer,
}

impl Pair {
    async fn start(backend: Backend) -> Option<Self> {
        let old = DatabaseServer::start(backend).await?;
        if backend == Backend::Postgres {
            add_user(&old).await;
            let new = old.standby().await;
            return Some(Self { old, new });
        }
        let new = DatabaseServer::start(backend).await?;
        for server in [&old, &new] {
            add_user(server).await;
        }
        Some(Self { old, new })
    }

    /// Lets the other have all that was written, and write.
    async fn hand_over(&self, database: &str) {
        if self.old.backend() != Backend::Postgres {
            self.old.copy_to(&self.new, database).await;
            return;
        }
        let written = self.old.texts("SELECT pg_current_wal_lsn()::text").await;
        let position = &written[0];
        let query = format!("SELECT 'yes' WHERE pg_last_wal_replay_lsn() >= '{position}'::pg_lsn");
        let has_all = || async { (!self.new.texts(&query).await.is_empty()).then_some(()) };
        eventually("the standby has all", Duration::from_secs(30), has_all).await;
        self.new.execute("SELECT pg_promote()").await;
    }
}
