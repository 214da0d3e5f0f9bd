//! While the existing database does not answer, nothing is told of who is known here,
//! and who is known signs in as ever.

use countersign_domain::model::Purpose;
use countersign_domain::testing::send_code;
use countersign_domain::{Error, Limit};

use super::existing::row;
use super::{EMAIL, PASSWORD, WRONG, world};

#[tokio::test]
async fn who_is_known_signs_in_and_every_refusal_is_unavailable() {
    let (world, existing) = world(vec![row("7", EMAIL, PASSWORD)]).await;
    world.user("here@example.com", PASSWORD).await;
    existing.set_down(true);
    for (email, password) in [
        (EMAIL, PASSWORD),
        ("nobody@example.com", PASSWORD),
        ("here@example.com", WRONG),
    ] {
        world.hasher.take_count();
        let answer = world.sign_in(email, password).await;
        assert!(
            matches!(answer, Err(Error::Unavailable(_))),
            "{email}: {answer:?}"
        );
        assert_eq!(world.hasher.take_count(), 1, "{email}");
    }
    let known = world.sign_in("here@example.com", PASSWORD).await;
    known.expect("as ever");
    let code = send_code("here@example.com", Purpose::SignIn).execute(&world.app);
    code.await.expect("as ever");
    existing.set_down(false);
    world.sign_in(EMAIL, PASSWORD).await.expect("adopted");
}

#[tokio::test]
async fn guesses_during_an_outage_are_charged() {
    let (world, existing) = world(Vec::new()).await;
    world.user("here@example.com", PASSWORD).await;
    existing.set_down(true);
    let mut guesses = 0;
    loop {
        match world.sign_in("here@example.com", WRONG).await {
            Err(Error::Unavailable(_)) => guesses += 1,
            Err(Error::Exhausted {
                limit: Limit::Attempts,
                ..
            }) => break,
            other => panic!("{other:?}"),
        }
        assert!(guesses < 100, "nobody counts");
    }
    println!("guesses during an outage before the source had to wait: {guesses}");
}

#[tokio::test]
async fn a_sign_up_waits_for_the_existing_database() {
    let (world, existing) = world(Vec::new()).await;
    world.user("here@example.com", PASSWORD).await;
    existing.set_down(true);
    for email in ["new@example.com", "here@example.com"] {
        let answer = world.sign_up(email, PASSWORD).execute(&world.app).await;
        assert!(
            matches!(answer, Err(Error::Unavailable(_))),
            "{email}: {answer:?}"
        );
    }
}
