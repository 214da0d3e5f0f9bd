//! Signing up: with a proof, or with a code to come, and nobody learns who has
//! an account.

use countersign_domain::Refusal;
use countersign_domain::model::Purpose;
use countersign_domain::ports::Content;
use countersign_domain::testing::{World, refusal, sign_up};
use countersign_domain::use_cases::{ConfirmSignUp, SignUp, SignedUp};

const EMAIL: &str = "mina@example.com";
const PASSWORD: &str = "a long enough phrase";

#[tokio::test]
async fn a_pending_user_signs_in_only_after_the_code() {
    let world = World::new().await;
    let confirm = world.pending(EMAIL, PASSWORD).await;
    assert_eq!(
        refusal(world.sign_in(EMAIL, PASSWORD).await),
        Refusal::SignIn
    );
    let user_id = confirm.execute(&world.app).await.expect("confirmed");
    let tokens = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    assert_eq!(tokens.user_id, user_id);
}

#[tokio::test]
async fn signing_up_again_looks_the_same_and_tells_the_owner() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    world.outbox.take();
    world.hasher.take_count();
    let again = sign_up(EMAIL, "an attacker's phrase")
        .execute(&world.app)
        .await
        .expect("looks signed up");
    assert!(matches!(again, SignedUp::Pending { .. }));
    assert_eq!(world.hasher.take_count(), 1);
    let [notice] = world.outbox.take().try_into().expect("one message");
    assert!(matches!(notice.content, Content::AlreadySignedUp));
    world
        .sign_in(EMAIL, PASSWORD)
        .await
        .expect("the owner's password is unchanged");
    assert_eq!(
        refusal(world.sign_in(EMAIL, "an attacker's phrase").await),
        Refusal::SignIn
    );
}

#[tokio::test]
async fn a_code_activates_only_the_sign_up_that_it_was_sent_for() {
    let world = World::new().await;
    let attacker = world.pending(EMAIL, "the attacker's phrase").await;
    let owner = world.pending(EMAIL, PASSWORD).await;
    let mixed = ConfirmSignUp {
        verification_id: attacker.verification_id,
        code: owner.code.clone(),
    };
    assert_eq!(
        refusal(mixed.execute(&world.app).await),
        Refusal::Verification
    );
    assert_eq!(
        refusal(attacker.execute(&world.app).await),
        Refusal::Verification
    );
    owner
        .execute(&world.app)
        .await
        .expect("the owner's code is good");
    world
        .sign_in(EMAIL, PASSWORD)
        .await
        .expect("with the owner's password");
}

#[tokio::test]
async fn a_proof_creates_one_user_and_names_a_taken_address() {
    let world = World::new().await;
    let proof = world.prove(EMAIL, Purpose::SignUp).await.expect("proved");
    let with_proof = || SignUp {
        proof: Some(proof.clone()),
        ..sign_up(EMAIL, PASSWORD)
    };
    assert!(matches!(
        with_proof().execute(&world.app).await,
        Ok(SignedUp::Active(_))
    ));
    assert_eq!(
        refusal(with_proof().execute(&world.app).await),
        Refusal::Proof
    );
    let second = world
        .prove(EMAIL, Purpose::SignUp)
        .await
        .expect("proved again");
    let taken = SignUp {
        proof: Some(second),
        ..sign_up(EMAIL, PASSWORD)
    };
    assert_eq!(
        refusal(taken.execute(&world.app).await),
        Refusal::IdentifierTaken
    );
}

#[tokio::test]
async fn a_proof_is_for_one_address_and_one_purpose() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    let for_sign_in = world.prove(EMAIL, Purpose::SignIn).await.expect("proved");
    let wrong_purpose = SignUp {
        proof: Some(for_sign_in),
        ..sign_up(EMAIL, PASSWORD)
    };
    assert_eq!(
        refusal(wrong_purpose.execute(&world.app).await),
        Refusal::Proof
    );
    let other = world
        .prove("other@example.com", Purpose::SignUp)
        .await
        .expect("proved");
    let wrong_address = SignUp {
        proof: Some(other),
        ..sign_up("third@example.com", PASSWORD)
    };
    assert_eq!(
        refusal(wrong_address.execute(&world.app).await),
        Refusal::Proof
    );
}
