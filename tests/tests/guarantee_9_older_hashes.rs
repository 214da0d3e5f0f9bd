//! Guarantee 9, hashes under older parameters: an account whose password was
//! hashed at a lower cost answers no sooner than any other, or than nobody.

use std::time::Duration;

use countersign_proto::v1;
use countersign_tests::{Backend, PASSWORD, Timings, World, email, on_every_backend, reason};
use tokio::sync::Mutex;

on_every_backend!(an_older_hash_is_not_told_by_the_time);

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
