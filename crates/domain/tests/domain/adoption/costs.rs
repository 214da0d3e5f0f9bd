//! What a sign-in of somebody who is adopted costs, and what several at once are told.

use countersign_domain::Refusal;
use countersign_domain::model::{GroupId, PasswordHash};
use countersign_domain::ports::Users as _;
use countersign_domain::testing::refusal;
use futures_util::future::join_all;

use super::existing::{external, identifier, row};
use super::{EMAIL, PASSWORD, WRONG, world};

#[tokio::test]
async fn a_first_sign_in_costs_one_old_hash_and_one_new_in_one_place() {
    let (world, _) = world(vec![row("7", EMAIL, PASSWORD)]).await;
    for hashes in [2, 1] {
        world.hasher.take_count();
        world.hasher.take_places();
        world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
        let (places, counted) = (world.hasher.take_places(), world.hasher.take_count());
        assert_eq!((places, counted), (1, hashes));
    }
}

#[tokio::test]
async fn a_first_attempt_at_a_digest_costs_one_new_hash_at_one_place_right_or_wrong() {
    for (guess, stored) in [
        (PASSWORD, format!("plain:{PASSWORD}")),
        (WRONG, format!("wrapped:{PASSWORD}")),
    ] {
        let mut old = row("7", EMAIL, PASSWORD);
        old.password = Some(PasswordHash::new(format!("digest:{PASSWORD}")));
        let (world, _) = world(vec![old]).await;
        world.hasher.take_count();
        world.hasher.take_places();
        let tried = world.sign_in(EMAIL, guess).await;
        assert_eq!(tried.is_ok(), guess == PASSWORD, "{tried:?}");
        let (places, counted) = (world.hasher.take_places(), world.hasher.take_count());
        assert_eq!((places, counted), (1, 1), "{guess}");
        let user = world
            .store
            .user_by_external_id(&GroupId::fallback(), &external("7"))
            .await;
        let user = user.expect("an answer").expect("adopted");
        let account = world.store.account(user.id).await.expect("an answer");
        let credential = account.expect("there").credential.expect("a password");
        assert_eq!(credential.hash.expose(), stored);
        assert_eq!(credential.failures, u32::from(guess == WRONG));
    }
}

#[tokio::test]
async fn guesses_at_once_at_somebody_who_is_not_adopted_yet_get_one_answer() {
    for format in ["old", "digest"] {
        let mut known_there = row("7", EMAIL, PASSWORD);
        // While it is asked whose the other address is, all others come as far.
        known_there.identifiers.push(identifier("mina@example.org"));
        known_there.password = Some(PasswordHash::new(format!("{format}:{PASSWORD}")));
        let (world, _) = world(vec![known_there]).await;
        let guesses = (0..8).map(|_| world.sign_in(EMAIL, WRONG));
        for guess in join_all(guesses).await {
            assert_eq!(refusal(guess), Refusal::SignIn, "{format}");
        }
        world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    }
}
