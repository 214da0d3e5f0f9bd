//! Messages: queued with what they tell of, sent by a job, once or known not to
//! have been.

use std::time::Duration;

use countersign_domain::Refusal;
use countersign_domain::model::{Locale, Password, Purpose};
use countersign_domain::ports::{Clock as _, Content, Outbox as _, SendError};
use countersign_domain::testing::{World, password, refusal, send_code};
use countersign_domain::use_cases::{
    ChangePassword, DeleteExpired, DeliverMessages, Delivery, GetVerification, ResetPassword,
};

const EMAIL: &str = "mina@example.com";
const PASSWORD: &str = "a long enough phrase";

async fn deliver(world: &World) -> usize {
    let delivered = DeliverMessages { batch: 10 }.execute(&world.app).await;
    delivered.expect("the outbox works").settled.len()
}

async fn delivery(world: &World, purpose: Purpose) -> impl AsyncFn() -> Delivery {
    let sent = send_code(EMAIL, purpose).execute(&world.app).await;
    let id = sent.expect("queued").record.id;
    async move || {
        let shown = GetVerification { id }.execute(&world.app).await;
        shown.expect("shown").delivery
    }
}

#[tokio::test]
async fn a_code_is_queued_then_sent() {
    let world = World::new().await;
    let state = delivery(&world, Purpose::SignUp).await;
    assert_eq!(state().await, Delivery::Queued);
    assert!(world.sender.take().is_empty());
    assert_eq!(deliver(&world).await, 1);
    assert_eq!(state().await, Delivery::Sent);
    assert_eq!(world.sender.take().len(), 1);
    assert_eq!(deliver(&world).await, 0);
}

#[tokio::test]
async fn nobody_can_tell_whether_there_was_anybody_to_write_to() {
    let world = World::new().await;
    for purpose in [Purpose::SignIn, Purpose::PasswordReset] {
        let nobody = delivery(&world, purpose).await;
        assert_eq!(nobody().await, Delivery::Withheld);
        assert_eq!(deliver(&world).await, 1);
        assert_eq!(nobody().await, Delivery::Withheld);
        assert!(world.sender.take().is_empty());
        world.clock.advance(Duration::from_secs(60));
    }
    world.user(EMAIL, PASSWORD).await;
    world.take_sent().await;
    for purpose in [Purpose::SignIn, Purpose::PasswordReset] {
        world.clock.advance(Duration::from_secs(60));
        let user = delivery(&world, purpose).await;
        assert_eq!(user().await, Delivery::Withheld);
        let rejected = SendError::Rejected("no such number".into());
        world.sender.fail_with(Some(rejected));
        assert_eq!(deliver(&world).await, 1);
        assert_eq!(user().await, Delivery::Withheld);
    }
}

#[tokio::test]
async fn a_refused_message_is_tried_again_with_growing_pauses() {
    let world = World::new().await;
    let state = delivery(&world, Purpose::SignUp).await;
    world
        .sender
        .fail_with(Some(SendError::Refused("no route".into())));
    for pause in [1, 2, 4] {
        assert_eq!(deliver(&world).await, 1);
        assert_eq!(state().await, Delivery::Queued);
        world.clock.advance(Duration::from_millis(pause * 1000 - 1));
        assert_eq!(deliver(&world).await, 0, "after almost {pause} s");
        world.clock.advance(Duration::from_millis(1));
    }
    world.sender.fail_with(None);
    assert_eq!(deliver(&world).await, 1);
    assert_eq!(state().await, Delivery::Sent);
    assert_eq!(world.sender.take().len(), 1);
}

#[tokio::test]
async fn a_code_whose_outcome_is_unknown_is_not_sent_twice_and_a_notice_is() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    world.take_sent().await;
    let unknown = || Some(SendError::Unknown("cut off".into()));
    let state = delivery(&world, Purpose::SignUp).await;
    world.sender.fail_with(unknown());
    deliver(&world).await;
    assert_eq!(state().await, Delivery::Failed);
    world.sender.fail_with(None);
    world.clock.advance(Duration::from_secs(120));
    assert_eq!(deliver(&world).await, 0);

    change_password(&world).await;
    world.sender.fail_with(unknown());
    deliver(&world).await;
    world.sender.fail_with(None);
    world.clock.advance(Duration::from_secs(2));
    let [notice] = world.take_sent().await.try_into().expect("one message");
    assert!(matches!(notice.content, Content::PasswordChanged));
}

#[tokio::test]
async fn of_a_replica_that_died_a_code_is_not_sent_again_and_a_notice_is() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    world.take_sent().await;
    let state = delivery(&world, Purpose::SignUp).await;
    change_password(&world).await;
    let now = world.app.clock.now();
    let until = now.plus(Duration::from_secs(60));
    let claimed = world.store.claim_messages(now, until, 10).await;
    assert_eq!(claimed.expect("claimed").len(), 2);
    assert_eq!(deliver(&world).await, 0, "somebody else has them");
    assert_eq!(state().await, Delivery::Queued);
    world.clock.advance(Duration::from_secs(61));
    let [notice] = world.take_sent().await.try_into().expect("one message");
    assert!(matches!(notice.content, Content::PasswordChanged));
    assert_eq!(state().await, Delivery::Failed);
}

#[tokio::test]
async fn an_expired_code_is_neither_sent_nor_kept() {
    let world = World::new().await;
    send_code(EMAIL, Purpose::SignUp)
        .execute(&world.app)
        .await
        .expect("queued");
    world.clock.advance(Duration::from_secs(301));
    assert_eq!(deliver(&world).await, 0);
    let deleted = DeleteExpired { batch: 10 }.execute(&world.app).await;
    assert_eq!(deleted.expect("cleaned"), 1);
}

#[tokio::test]
async fn a_changed_and_a_reset_password_are_told_to_the_owner() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    world.take_sent().await;
    change_password(&world).await;
    let [notice] = world.take_sent().await.try_into().expect("one message");
    assert!(matches!(notice.content, Content::PasswordChanged));
    let proof = world.prove(EMAIL, Purpose::PasswordReset).await;
    ResetPassword {
        proof: proof.expect("proved"),
        new: password("a third long phrase"),
        locale: Locale::Korean,
    }
    .execute(&world.app)
    .await
    .expect("reset");
    let [notice] = world.take_sent().await.try_into().expect("one message");
    assert!(matches!(notice.content, Content::PasswordReset));
    assert_eq!(notice.locale, Locale::Korean);
}

#[tokio::test]
async fn without_a_sender_what_needs_a_message_is_refused_before_anything_is_charged() {
    let world = World::without_sender().await;
    for purpose in [Purpose::SignUp, Purpose::SignIn, Purpose::PasswordReset] {
        let refused = send_code(EMAIL, purpose).execute(&world.app).await;
        assert_eq!(refusal(refused), Refusal::SenderMissing);
    }
    let refused = world.sign_up(EMAIL, PASSWORD).execute(&world.app).await;
    assert_eq!(refusal(refused), Refusal::SenderMissing);
    let mut own = send_code(EMAIL, Purpose::SignUp);
    own.code = Some(countersign_domain::model::Code::parse("4711".into()).expect("a code"));
    own.execute(&world.app)
        .await
        .expect("the caller delivers it, and no cooldown has begun");
}

async fn change_password(world: &World) {
    let tokens = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    ChangePassword {
        access_token: tokens.access_token,
        current: Password::to_compare(PASSWORD.into()).expect("a password"),
        new: password("another long phrase"),
        locale: Locale::English,
    }
    .execute(&world.app)
    .await
    .expect("changed");
}

#[tokio::test]
async fn what_every_provider_has_rejected_is_given_up_at_once() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    world.take_sent().await;
    let state = delivery(&world, Purpose::SignUp).await;
    change_password(&world).await;
    let rejected = SendError::Rejected("no such number".into());
    world.sender.fail_with(Some(rejected));
    assert_eq!(deliver(&world).await, 2, "the code and the notice");
    assert_eq!(state().await, Delivery::Failed);
    world.sender.fail_with(None);
    world.clock.advance(Duration::from_secs(120));
    assert_eq!(deliver(&world).await, 0);
}
