//! A first start that is cut short by `kill -9`, at many moments, on each
//! database: the next start works.

use countersign_proto::v1;
use countersign_tests::{Backend, PASSWORD, World, email, on_backends_at_once, reason};
use tokio::time::Instant;

const EVERY: [Backend; 3] = [Backend::Sqlite, Backend::Postgres, Backend::MariaDb];
const MOMENTS: u32 = 30;

#[test]
fn a_first_start_that_was_killed_harms_no_later_start() {
    on_backends_at_once(&EVERY, kill_at_many_moments);
}

async fn kill_at_many_moments(backend: Backend) {
    let began = Instant::now();
    let undisturbed = World::on(backend).start().await;
    let takes = began.elapsed();
    drop(undisturbed);
    let mut failures = Vec::new();
    let mut earliest = Vec::new();
    for moment in 0..MOMENTS {
        let after = takes * moment / (MOMENTS - 1);
        let world = World::on(backend).build().await;
        let replica = world.replica(0);
        replica.start_and_kill_after(after).await;
        let outcome = match replica.try_start().await {
            Ok(()) => main_job(&world).await,
            Err(log) => log.lines().last().unwrap_or("it says nothing").to_owned(),
        };
        if outcome != "OK" {
            failures.push(format!("killed after {after:?}: {outcome}"));
            earliest.push(after);
        }
    }
    countersign_tests::say!(
        "first start on {backend}, which takes {takes:?}, killed at {MOMENTS} moments: the next \
         start works {} of {MOMENTS}; it does not after {earliest:?}",
        MOMENTS as usize - failures.len()
    );
    assert!(failures.is_empty(), "{backend}: {}", failures.join("\n"));
}

/// Somebody signs up and in: `OK`, or the reason why not.
async fn main_job(world: &World) -> String {
    let gateway = world.gateway();
    let address = world.new_email();
    let proof = gateway.prove(email(&address), v1::Purpose::SignUp).await;
    let Ok(proof) = proof else {
        return reason(&proof);
    };
    let signed_up = gateway.sign_up_proven(email(&address), "", PASSWORD, &proof);
    let signed_up = signed_up.await;
    if signed_up.is_err() {
        return reason(&signed_up);
    }
    let signed_in = gateway.sign_in(email(&address), PASSWORD).await;
    if let Ok(tokens) = &signed_in {
        return reason(&gateway.refresh(&tokens.refresh_token).await);
    }
    reason(&signed_in)
}
