//! However many guesses there are, the log has one row an hour for each account, action and
//! reason, and none for made-up names.

use std::time::Duration;

use countersign_proto::v1;
use countersign_tests::{
    Backend, PATIENCE, Shown, World, email, eventually, on_every_backend, reason,
};

use crate::{action, of_user, refused};

on_every_backend!(guesses_leave_one_row_and_made_up_names_none);

const GUESSES: u32 = 60;
const NAMES: usize = 40;

async fn guesses_leave_one_row_and_made_up_names_none(backend: Backend) {
    let world = World::on(backend)
        .set("passwords.attempts", 100)
        .replicas(backend.replicas())
        .start()
        .await;
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    let before = world.rows("audit_events").await;
    let mut compared = 0;
    for number in 0..GUESSES {
        for replica in world.replicas() {
            let guess = replica
                .gateway()
                .sign_in(email(&mina.email), "wrong guess")
                .await;
            compared += i64::from(reason(&guess) == "SIGN_IN_REFUSED");
        }
        if (number as usize) < NAMES {
            let nobody = email(&world.new_email());
            let guess = world.gateway().sign_in(nobody, "wrong guess").await;
            guess.expect_err("refused");
        }
    }
    let stepped_up = mina.step_up(&tokens.access_token, Shown::Password("wrong guess"));
    assert_eq!(reason(&stepped_up.await), "PASSWORD_WRONG");
    assert!(compared > 0, "{backend}: nothing was compared");

    let gateway = world.gateway();
    let counted = || async {
        let events = of_user(&gateway, &mina.user_id).await;
        let of = |wanted: &str| {
            let refused = events.iter().filter(|event| action(event) == wanted);
            let refused: Vec<_> = refused.filter_map(refused_of).collect();
            refused
        };
        let sign_ins = of("session_opened");
        let step_ups = of("session_stepped_up");
        let count: i64 = sign_ins.iter().map(|(_, count)| count).sum();
        (count == compared && step_ups.len() == 1).then_some((sign_ins, step_ups))
    };
    let (found, _) = eventually("they are counted", PATIENCE, counted).await;
    let (sign_ins, step_ups) = found;
    // Two, if the hour has changed meanwhile.
    assert!(sign_ins.len() <= 2, "{sign_ins:?}");
    assert!(
        sign_ins
            .iter()
            .all(|(reason, _)| reason == "SIGN_IN_REFUSED")
    );
    assert_eq!(step_ups[0], ("PASSWORD_WRONG".to_owned(), 1));
    // A while longer than the job waits: what made-up names left would be there.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let rows = world.rows("audit_events").await - before;
    countersign_tests::say!(
        "audit on {backend}: {compared} guesses at an account and {NAMES} at made-up names left {rows} \
         rows"
    );
    assert_eq!(rows, i64::try_from(sign_ins.len() + 1).expect("few"));
}

fn refused_of(event: &v1::AuditEvent) -> Option<(String, i64)> {
    refused(event).map(|(reason, count)| (reason.to_owned(), count))
}
