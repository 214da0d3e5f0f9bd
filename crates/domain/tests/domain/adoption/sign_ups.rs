//! Signing up with an address that somebody holds in the existing database.

use countersign_domain::Refusal;
use countersign_domain::model::{ExistingState, Purpose, Timestamp};
use countersign_domain::ports::Content;
use countersign_domain::testing::refusal;
use countersign_domain::use_cases::SignedUp;

use super::existing::row;
use super::{EMAIL, PASSWORD, world};

#[tokio::test]
async fn an_address_that_is_held_there_is_answered_as_one_that_is_held_here() {
    let (world, existing) = world(vec![row("7", EMAIL, PASSWORD)]).await;
    world.user("here@example.com", PASSWORD).await;
    for email in [EMAIL, "here@example.com"] {
        existing.take_lookups();
        let answer = world.sign_up(email, PASSWORD).execute(&world.app).await;
        assert!(matches!(answer, Ok(SignedUp::Pending { .. })), "{email}");
        assert_eq!(existing.take_lookups(), 1, "{email}");
        let sent = world.take_sent().await;
        let content = sent.first().map(|message| &message.content);
        assert!(matches!(content, Some(Content::AlreadySignedUp)), "{email}");
        world.clock.advance(std::time::Duration::from_secs(120));
    }
    let proof = world.prove(EMAIL, Purpose::SignUp).await.expect("proved");
    let taken = world.sign_up_proven(EMAIL, Some(PASSWORD), proof);
    assert_eq!(
        refusal(taken.execute(&world.app).await),
        Refusal::IdentifierTaken
    );
}

#[tokio::test]
async fn who_signs_up_there_meanwhile_keeps_the_address() {
    let (world, existing) = world(Vec::new()).await;
    let confirm = world.pending(EMAIL, PASSWORD).await;
    existing.change(|rows| rows.push(row("8", EMAIL, "in the old server")));
    let confirmed = confirm.execute(&world.app).await;
    assert_eq!(refusal(confirmed), Refusal::IdentifierTaken);
    let owner = world.sign_in(EMAIL, "in the old server").await;
    owner.expect("adopted");
}

#[tokio::test]
async fn who_has_left_there_may_join_again_after_the_wait() {
    let mut gone = row("7", EMAIL, PASSWORD);
    let since = Timestamp::from_seconds(1_789_999_000);
    gone.state = ExistingState::Withdrawn { since: Some(since) };
    let (world, _) = world(vec![gone]).await;
    let proof = world.prove(EMAIL, Purpose::SignUp).await.expect("proved");
    let early = world.sign_up_proven(EMAIL, Some(PASSWORD), proof);
    let refused = refusal(early.execute(&world.app).await);
    let told = matches!(refused, Refusal::UserWithdrawn { at, .. } if at == since);
    assert!(told, "{refused:?}");
    world
        .clock
        .advance(std::time::Duration::from_secs(7 * 86_400));
    let proof = world.prove(EMAIL, Purpose::SignUp).await.expect("proved");
    let later = world.sign_up_proven(EMAIL, Some(PASSWORD), proof);
    later.execute(&world.app).await.expect("signed up");
    world
        .sign_in(EMAIL, PASSWORD)
        .await
        .expect("the new account");
}
