//! Rows that nobody's are: the count of attempts at accounts that there are not,
//! and the heartbeat. Odd numbers in them tell nobody anything and stop nothing.

use countersign_tests::{
    Backend, SERVICES, Tally, World, comes_true, email, on_backends_at_once, reason,
};

use crate::{BOUND, EVERY, world};

/// So many that most rows of the count are there.
const NOBODIES: usize = 40;

#[test]
fn odd_numbers_in_rows_of_nobody_harm_nobody() {
    on_backends_at_once(&EVERY, damage);
}

async fn damage(backend: Backend) {
    let world = world(backend).start().await;
    let mina = world.sign_up().await;
    let nobodies: Vec<_> = (0..NOBODIES).map(|_| world.new_email()).collect();
    try_all(&world, &nobodies)
        .await
        .assert_only(&["SIGN_IN_REFUSED"]);
    let mut outcomes = Tally::default();
    for number in [i64::MAX, i64::MIN + 1, -1] {
        let update = format!("UPDATE attempts_of_nobody SET attempts = {number}");
        assert!(world.execute(&update).await >= 1, "{update}");
        let update = format!("UPDATE heartbeat SET beat_at = {number}");
        assert_eq!(world.execute(&update).await, 1, "{update}");
        outcomes.add_all(&try_all(&world, &nobodies).await);
        world.main_job(&mina).await.assert_only(&["OK"]);
        for gateway in world.running() {
            for service in SERVICES {
                let serves = || async { gateway.is_serving(service).await };
                let serves = comes_true(BOUND * 2, serves).await;
                assert!(serves.is_some(), "{backend}: {service}, {number}");
            }
        }
    }
    countersign_tests::say!(
        "guarantee 24 on {backend}, odd numbers in rows of nobody: sign-ins of {NOBODIES} who are \
         not there: {outcomes}"
    );
    outcomes.assert_only(&["SIGN_IN_REFUSED"]);
}

async fn try_all(world: &World, nobodies: &[String]) -> Tally {
    let gateway = world.gateway();
    let mut outcomes = Tally::default();
    for address in nobodies {
        let tried = gateway.sign_in(email(address), "wrong guess");
        outcomes.add(&reason(&tried.await));
    }
    outcomes
}
