//! A signing key that cannot be read is skipped and named; the reading of keys
//! and revocations goes on, other keys are revoked, and so is the damaged one.

use std::time::Duration;

use countersign_tests::{
    Backend, PASSWORD, Tally, World, comes_true, eventually, good_is_valid, key_id,
    on_backends_at_once,
};
use tokio::time::sleep;

use crate::{BOUND, EVERY, is_named, rotate, start_again, world};

/// Within which another key signs in the place of the damaged one.
const RECOVERED_WITHIN: Duration = Duration::from_secs(10);

#[test]
fn an_unreadable_retired_key_harms_nothing_else() {
    on_backends_at_once(&EVERY, |backend| {
        damage(backend, "sealed = 'damaged'", "retired")
    });
}

#[test]
fn an_unreadable_next_key_harms_nothing_else() {
    on_backends_at_once(&EVERY, |backend| {
        damage(backend, "sealed = 'damaged'", "next")
    });
}

#[test]
fn an_unreadable_active_key_harms_nothing_else() {
    on_backends_at_once(&EVERY, |backend| {
        damage(backend, "sealed = 'damaged'", "active")
    });
}

#[test]
fn a_key_of_an_unknown_algorithm_harms_nothing_else() {
    on_backends_at_once(&EVERY, |backend| {
        damage(backend, "algorithm = 'XX999'", "retired")
    });
}

#[test]
fn a_key_in_an_unknown_state_harms_nothing_else() {
    on_backends_at_once(&EVERY, |backend| {
        damage(backend, "state = 'odd'", "retired")
    });
}

/// A `kid` is base64url, so that one in 64 begins like a flag.
#[test]
fn a_key_whose_id_begins_with_a_hyphen_is_revoked() {
    on_backends_at_once(&[Backend::Sqlite], async |backend| {
        let world = world(backend).start().await;
        rotate(&world).await;
        let rename = "UPDATE signing_keys SET kid = '-abc' WHERE state = 'retired'";
        assert_eq!(world.execute(rename).await, 1);
        let finished = world.replica(0).run(&["keys", "revoke", "-abc"]).await;
        countersign_tests::say!("keys revoke -abc: exit code {}", finished.code);
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        assert_eq!(world.rows("signing_keys WHERE kid = '-abc'").await, 0);
    });
}

/// Damages the key in a state, with one older retired key beside it.
async fn damage(backend: Backend, change: &'static str, state: &'static str) {
    let world = world(backend).start().await;
    let mina = world.sign_up().await;
    let mut tokens = vec![mina.sign_in().await.access_token];
    rotate(&world).await;
    tokens.push(mina.sign_in().await.access_token);
    rotate(&world).await;
    tokens.push(mina.sign_in().await.access_token);

    let of_state = format!("SELECT kid FROM signing_keys WHERE state = '{state}'");
    let kids = world
        .texts(&format!("{of_state} ORDER BY created_at DESC"))
        .await;
    let kid = kids.first().expect("there is such a key").clone();
    let update = format!("UPDATE signing_keys SET {change} WHERE kid = '{kid}'");
    assert_eq!(world.execute(&update).await, 1);
    // Longer than the feed may be old: what is not read again is not answered.
    sleep(Duration::from_secs(3)).await;

    let what = format!("guarantee 24 on {backend}, the {state} key with {change}");
    let whole: Vec<_> = tokens.iter().filter(|token| key_id(token) != kid).collect();
    let mut beside = Tally::default();
    let signs = || async { mina.try_password(PASSWORD).await.ok() };
    let (_, took) = eventually("a key signs", RECOVERED_WITHIN, signs).await;
    for _ in 0..3 {
        ask(&world, &whole, &mut beside).await;
        beside.add_all(&world.main_job(&mina).await);
    }
    beside.add(start_again(&world).await);
    ask(&world, &whole, &mut beside).await;
    beside.add_all(&world.main_job(&mina).await);
    let named = is_named(&world, &kid);

    let others = "SELECT kid FROM signing_keys WHERE state = 'retired' ORDER BY created_at";
    let other = world.texts(others).await;
    let other = other.into_iter().find(|other| *other != kid);
    let other = other.expect("the oldest key is retired");
    let mut revoking = Tally::default();
    // The places of the active and the next key are needed: a damaged one that
    // held such a place has been replaced.
    let is_replaced = state != "retired";
    let left = world
        .rows(&format!("signing_keys WHERE kid = '{kid}'"))
        .await;
    assert_eq!(left == 0, is_replaced, "{what}: {left} rows of {kid}");
    let damaged = (!is_replaced).then_some(&kid);
    for kid in [&other].into_iter().chain(damaged) {
        let finished = world.replica(0).run(&["keys", "revoke", "--", kid]).await;
        let outcome = if finished.code == 0 {
            "OK"
        } else {
            &finished.stderr
        };
        revoking.add(outcome.lines().last().unwrap_or("no answer"));
    }
    let revoked: Vec<_> = tokens
        .iter()
        .filter(|token| key_id(token) == other)
        .collect();
    sleep(BOUND).await;
    let mut after = Tally::default();
    let is_gone = || async {
        let mut words = Tally::default();
        ask(&world, &revoked, &mut words).await;
        words.count("OK") == 0
    };
    let gone = comes_true(RECOVERED_WITHIN, is_gone).await;
    after.add(gone.map_or("a revoked key verifies", |_| "OK"));
    after.add_all(&world.main_job(&mina).await);

    countersign_tests::say!(
        "{what}: signs after {took:?}; calls beside it refused {} of {} ({beside}); named in the \
         log: {named}; keys revoked, it and another: {revoking}; afterwards: {after}",
        beside.total() - beside.count("OK"),
        beside.total()
    );
    for tally in [&beside, &revoking, &after] {
        tally.assert_only(&["OK"]);
    }
    assert!(named, "{what}: {kid} is named in the log");
}

/// Asks every replica about tokens of keys that are whole.
async fn ask(world: &World, tokens: &[&String], outcomes: &mut Tally) {
    for replica in world.running() {
        for token in tokens {
            outcomes.add(&good_is_valid(replica.judge(token).await));
        }
    }
}
