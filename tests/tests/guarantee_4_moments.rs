//! Guarantee 4, at chosen moments: `kill -9` of a server while the database is
//! before and after the update of a refresh or a sign-out, and not done yet.
//! Nobody is logged out by it, and what happened, happened as a whole. (At random
//! moments: `durability`; after the commit, before the reply:
//! `guarantee_1_2_3_refresh`.)

use std::time::Duration;

use countersign_proto::v1;
use countersign_tests::{
    Backend, PATIENCE, Tally, World, eventually, generation, on_every_shared_backend, reason,
};
use tokio::task::JoinSet;

on_every_shared_backend!(a_kill_within_an_update_loses_nothing);

const SESSIONS: usize = 4;

/// Where the database stands when the server is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    BeforeTheUpdate,
    AfterTheUpdate,
}

async fn a_kill_within_an_update_loses_nothing(backend: Backend) {
    let world = World::on(backend)
        .set("tokens.refresh_grace", "5m")
        .start()
        .await;
    let mina = world.sign_up().await;
    let (mut refreshed, mut ended) = (Tally::default(), Tally::default());
    let (mut unanswered, mut forked) = (Tally::default(), 0);
    for moment in [Moment::BeforeTheUpdate, Moment::AfterTheUpdate] {
        let mina = mina.at(&world.gateway());
        let (mut kept, mut to_end) = (Vec::new(), Vec::new());
        for _ in 0..SESSIONS {
            kept.push(mina.sign_in().await);
            to_end.push(mina.sign_in().await);
        }
        hold(&world, moment).await;
        let mut calls = in_flight(&world, &kept, &to_end);
        is_held(&world).await;
        world.replica(0).kill().await;
        while let Some(outcome) = calls.join_next().await {
            unanswered.add(&outcome.expect("no panic"));
        }
        let_go(&world).await;
        world.replica(0).start().await;

        let gateway = world.gateway();
        for tokens in &kept {
            let next = gateway.refresh(&tokens.refresh_token).await;
            refreshed.add(&reason(&next));
            let again = gateway.refresh(&tokens.refresh_token).await;
            let (Ok(next), Ok(again)) = (next, again) else {
                continue;
            };
            forked += usize::from(next.refresh_token != again.refresh_token);
            let exchanges = generation(&next.refresh_token) - generation(&tokens.refresh_token);
            assert_eq!(exchanges, 1, "{moment:?}: it was exchanged once");
        }
        for tokens in &to_end {
            let judged = gateway.judge(&tokens.access_token).await;
            let next = reason(&gateway.refresh(&tokens.refresh_token).await);
            ended.add(&format!("{judged} and {next}"));
        }
    }
    countersign_tests::say!(
        "guarantee 4 on {backend}, killed before and after the update: calls in flight: \
         {unanswered}; refreshed afterwards: {refreshed}, forked {forked}; sessions that were \
         being ended: {ended}"
    );
    refreshed.assert_only(&["OK"]);
    assert_eq!(forked, 0);
    ended.assert_only(&["VALID and OK", "REVOKED and SESSION_ENDED"]);
    assert_eq!(unanswered.count("OK"), 0, "{unanswered}");
}

/// Refreshes and sign-outs that are not answered.
fn in_flight(world: &World, kept: &[v1::Tokens], to_end: &[v1::Tokens]) -> JoinSet<String> {
    let mut calls = JoinSet::new();
    for (kept, to_end) in kept.iter().zip(to_end) {
        let (gateway, token) = (world.gateway(), kept.refresh_token.clone());
        calls.spawn(async move { reason(&gateway.refresh(&token).await) });
        let (gateway, token) = (world.gateway(), to_end.refresh_token.clone());
        calls.spawn(async move { reason(&gateway.revoke(&token).await) });
    }
    calls
}

/// From now on the database sleeps at each update of a session.
async fn hold(world: &World, moment: Moment) {
    let when = match moment {
        Moment::BeforeTheUpdate => "BEFORE",
        Moment::AfterTheUpdate => "AFTER",
    };
    let trigger = format!("CREATE TRIGGER hold {when} UPDATE ON sessions FOR EACH ROW");
    if world.backend() == Backend::Postgres {
        let function = "CREATE OR REPLACE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS \
                        $$ BEGIN PERFORM pg_sleep(1); RETURN NEW; END $$";
        world.execute(function).await;
        let trigger = format!("{trigger} EXECUTE FUNCTION hold()");
        world.execute(&trigger).await;
    } else {
        world.execute(&format!("{trigger} DO SLEEP(1)")).await;
    }
}

/// Waits until the database sleeps.
async fn is_held(world: &World) {
    let query = if world.backend() == Backend::Postgres {
        "SELECT 'yes' FROM pg_stat_activity WHERE wait_event = 'PgSleep' \
         AND datname = current_database()"
    } else {
        "SELECT 'yes' FROM information_schema.PROCESSLIST WHERE STATE = 'User sleep' \
         AND DB = DATABASE()"
    };
    let sleeps = || async { (!world.texts(query).await.is_empty()).then_some(()) };
    eventually("the database sleeps", PATIENCE, sleeps).await;
}

/// The database sleeps no more.
async fn let_go(world: &World) {
    let drop = if world.backend() == Backend::Postgres {
        "DROP TRIGGER hold ON sessions"
    } else {
        "DROP TRIGGER hold"
    };
    // It waits for what was begun.
    let dropped = tokio::time::timeout(Duration::from_secs(60), world.execute(drop));
    dropped.await.expect("what was begun ends");
}
