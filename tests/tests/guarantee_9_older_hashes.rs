//! Guarantee 9, hashes under older parameters and of other systems: an account
//! whose password was hashed at another cost answers neither sooner nor later than
//! any other, or than nobody.

use std::time::Duration;

use countersign_proto::v1;
use countersign_tests::{
    Backend, CHEAP_HASHES, DEAR_HASHES, Gateway, IMPORTED_PASSWORD, PASSWORD, Timings, World,
    WorldBuilder, crowd, email, on_every_backend, reason,
};
use tokio::sync::Mutex;

on_every_backend!(
    an_older_hash_is_not_told_by_the_time,
    a_cheap_hash_of_another_system_is_not_told_by_the_time,
    a_dear_hash_of_another_system_is_not_told_by_the_time,
);

/// Wrong passwords for each account with a hash of another system.
const IMPORTED_ROUNDS: usize = 9;
/// Rounds of so many at once at one account.
const BURST: usize = 3;
/// Of the whole of a burst.
const BURST_GAP: Duration = Duration::from_millis(10);

/// Wrong passwords for each kind of account; below the cap of an account.
const ROUNDS: usize = 40;
/// A noisy machine may spoil one measurement, an advantage shows in each.
const MEASUREMENTS: usize = 3;
/// The promise is 0.5 ms on a quiet machine.
const GAP: Duration = Duration::from_millis(3);

/// Only one server is measured at a time.
static QUIET: Mutex<()> = Mutex::const_new(());

async fn an_older_hash_is_not_told_by_the_time(backend: Backend) {
    let _quiet = QUIET.lock().await;
    let world = World::on(backend)
        .set("passwords.memory_kib", 8_192)
        .set("passwords.iterations", 1)
        .start()
        .await;
    let mut older = Vec::new();
    for _ in 0..=MEASUREMENTS {
        older.push(world.sign_up().await.email);
    }
    world.change_setting(0, "passwords.memory_kib", 19_456);
    world.change_setting(0, "passwords.iterations", 2);
    world.replica(0).restart().await;

    let gateway = world.gateway();
    let mut is_told = true;
    for address in older.iter().take(MEASUREMENTS) {
        let todays = world.sign_up_at(&gateway).await.email;
        let nobodys = world.new_email();
        let no_password = world.new_email();
        let proved = gateway.prove(email(&no_password), v1::Purpose::SignUp);
        let proof = proved.await.expect("a proof");
        let signed_up = gateway.sign_up_proven(email(&no_password), "", "", &proof);
        signed_up.await.expect("a user without a password");

        let mut timings = Timings::default();
        for _ in 0..ROUNDS {
            for (kind, address) in [
                ("an older hash", address),
                ("today's hash", &todays),
                ("no password", &no_password),
                ("nobody", &nobodys),
            ] {
                let tried = gateway.sign_in(email(address), "wrong guess");
                let tried = timings.measure(kind, tried).await;
                assert_eq!(reason(&tried), "SIGN_IN_REFUSED");
            }
        }
        countersign_tests::say!(
            "guarantee 9 on {backend}: a wrong password, medians of {ROUNDS}: {timings}: gap \
             {:.2} ms (promised 0.5)",
            timings.gap().as_secs_f64() * 1_000.0,
        );
        is_told = timings.tell_apart(GAP);
        if !is_told {
            break;
        }
    }
    let spare = &older[MEASUREMENTS];
    let owner = gateway.sign_in(email(spare), PASSWORD).await;
    assert_eq!(reason(&owner), "OK", "the owner of an older hash signs in");
    assert!(!is_told, "the time tells, in {MEASUREMENTS} measurements");
}

async fn a_cheap_hash_of_another_system_is_not_told_by_the_time(backend: Backend) {
    let _quiet = QUIET.lock().await;
    let world = at_todays_cost(backend).start().await;
    imported_hashes_tell_nothing(&world, &CHEAP_HASHES, IMPORTED_ROUNDS).await;
}

async fn a_dear_hash_of_another_system_is_not_told_by_the_time(backend: Backend) {
    let _quiet = QUIET.lock().await;
    let examples: Vec<&str> = DEAR_HASHES.iter().map(|(_, hash)| *hash).collect();
    let world = at_todays_cost(backend)
        .set("passwords.imported_examples", examples)
        .start()
        .await;
    imported_hashes_tell_nothing(&world, &DEAR_HASHES, IMPORTED_ROUNDS.div_ceil(2)).await;
}

fn at_todays_cost(backend: Backend) -> WorldBuilder {
    World::on(backend)
        .set("passwords.memory_kib", 19_456)
        .set("passwords.iterations", 2)
}

async fn imported_hashes_tell_nothing(world: &World, imported: &[(&str, &str)], rounds: usize) {
    let gateway = world.gateway();
    let mut owners = Vec::new();
    for (format, hash) in imported {
        let owner = world.sign_up_at(&gateway).await;
        world.store_hash(&owner.user_id, hash).await;
        owners.push((*format, owner.email));
    }
    let mut addresses = owners.clone();
    addresses.push(("today's hash", world.sign_up_at(&gateway).await.email));
    addresses.push(("nobody", world.new_email()));
    let mut is_told = true;
    for _ in 0..MEASUREMENTS {
        is_told = measure(&gateway, &addresses, rounds).await;
        if !is_told {
            break;
        }
    }
    for (format, address) in owners {
        let owner = gateway.sign_in(email(&address), IMPORTED_PASSWORD).await;
        assert_eq!(reason(&owner), "OK", "the owner of {format} signs in");
        let owner = gateway.sign_in(email(&address), IMPORTED_PASSWORD).await;
        assert_eq!(reason(&owner), "OK", "the owner of {format} signs in again");
    }
    let new = "credentials WHERE hash LIKE '$argon2id$v=19$m=19456,t=2,p=1$%'";
    assert_eq!(world.rows(new).await, imported.len() as i64 + 1);
    assert!(!is_told, "the time tells, in {MEASUREMENTS} measurements");
}

/// Whether the time of a wrong password tells the addresses apart, singly or in
/// bursts at one of them.
async fn measure(gateway: &Gateway, addresses: &[(&str, String)], rounds: usize) -> bool {
    let (mut singly, mut in_bursts) = (Timings::default(), Timings::default());
    for _ in 0..rounds {
        for (kind, address) in addresses {
            let tried = gateway.sign_in(email(address), "wrong guess");
            let tried = singly.measure(kind, tried).await;
            assert_eq!(reason(&tried), "SIGN_IN_REFUSED");
        }
    }
    for _ in 0..rounds.div_ceil(3) {
        for (kind, address) in addresses {
            let tried = crowd(BURST, |_| {
                let (gateway, address) = (gateway.clone(), address.clone());
                async move { gateway.sign_in(email(&address), "wrong guess").await }
            });
            for tried in in_bursts.measure(kind, tried).await {
                assert_eq!(reason(&tried), "SIGN_IN_REFUSED");
            }
        }
    }
    countersign_tests::say!(
        "guarantee 9: a wrong password at hashes of other systems, medians of {rounds}: {singly}: \
         gap {:.2} ms (promised 0.5); of bursts of {BURST}: {in_bursts}: gap {:.2} ms",
        singly.gap().as_secs_f64() * 1_000.0,
        in_bursts.gap().as_secs_f64() * 1_000.0,
    );
    singly.tell_apart(GAP) || in_bursts.tell_apart(BURST_GAP)
}
