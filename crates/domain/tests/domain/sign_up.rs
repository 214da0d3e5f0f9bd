//! Signing up: with a proof, or with a code to come, and nobody learns who has
//! an account.

use countersign_domain::model::{Code, Purpose, Username};
use countersign_domain::ports::Content;
use countersign_domain::testing::{World, refusal};
use countersign_domain::use_cases::{ConfirmSignUp, SignUp, SignedUp};
use countersign_domain::{Error, Limit, Refusal};

const EMAIL: &str = "mina@example.com";
const PASSWORD: &str = "a long enough phrase";

fn named(sign_up: SignUp, name: &str) -> SignUp {
    SignUp {
        username: Some(Username::parse(name).expect("a name")),
        ..sign_up
    }
}

#[tokio::test]
async fn a_user_exists_only_after_the_code() {
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
    world.take_sent().await;
    world.hasher.take_count();
    let again = world
        .sign_up(EMAIL, "an attacker's phrase")
        .execute(&world.app)
        .await
        .expect("looks signed up");
    assert!(matches!(again, SignedUp::Pending { .. }));
    assert_eq!(world.hasher.take_count(), 1);
    let [notice] = world.take_sent().await.try_into().expect("one message");
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
async fn a_code_completes_only_the_sign_up_that_it_was_sent_for() {
    let world = World::new().await;
    let attacker = world.pending(EMAIL, "the attacker's phrase").await;
    let owner = world.pending(EMAIL, PASSWORD).await;
    let mixed = ConfirmSignUp {
        verification_id: attacker.verification_id,
        code: owner.code.clone(),
    };
    for refused in [mixed, attacker] {
        assert_eq!(
            refusal(refused.execute(&world.app).await),
            Refusal::Verification
        );
    }
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
async fn a_pending_sign_up_reserves_neither_address_nor_name() {
    let world = World::new().await;
    let squatting = named(world.sign_up("squatter@example.com", PASSWORD), "mina");
    let squatting = squatting.execute(&world.app).await.expect("pending");
    let SignedUp::Pending {
        verification_id, ..
    } = squatting
    else {
        panic!("the squatter is active");
    };
    let code = world.take_code().await;
    world
        .clock
        .advance(world.app.settings.verification.cooldown);
    world.pending(EMAIL, "the squatter's phrase").await;

    let proof = world.prove(EMAIL, Purpose::SignUp).await.expect("proved");
    let owner = named(world.sign_up_proven(EMAIL, Some(PASSWORD), proof), "mina");
    let owner = owner.execute(&world.app).await.expect("the owner is first");
    assert!(matches!(owner, SignedUp::Active(_)));
    let late = ConfirmSignUp {
        verification_id,
        code,
    };
    assert_eq!(
        refusal(late.execute(&world.app).await),
        Refusal::UsernameTaken
    );
}

#[tokio::test]
async fn of_two_sign_ups_for_an_address_the_first_proof_wins() {
    let world = World::new().await;
    let pending = world.pending(EMAIL, "a slow person's phrase").await;
    world.user(EMAIL, PASSWORD).await;
    assert_eq!(
        refusal(pending.execute(&world.app).await),
        Refusal::IdentifierTaken
    );
    world.sign_in(EMAIL, PASSWORD).await.expect("the first");
}

#[tokio::test]
async fn a_taken_name_is_told_whatever_the_address() {
    let world = World::new().await;
    let proof = world.prove(EMAIL, Purpose::SignUp).await.expect("proved");
    named(world.sign_up_proven(EMAIL, Some(PASSWORD), proof), "mina")
        .execute(&world.app)
        .await
        .expect("signed up");
    world.take_sent().await;
    for address in [EMAIL, "stranger@example.com", EMAIL, "stranger@example.com"] {
        let again = named(world.sign_up(address, PASSWORD), "mina");
        assert_eq!(
            refusal(again.execute(&world.app).await),
            Refusal::UsernameTaken,
            "{address}"
        );
    }
    assert!(world.take_sent().await.is_empty());
    // What was refused was charged to no address.
    world
        .sign_up(EMAIL, PASSWORD)
        .execute(&world.app)
        .await
        .expect("no cooldown has begun");
}

#[tokio::test]
async fn a_proof_creates_one_user_and_names_a_taken_address() {
    let world = World::new().await;
    let proof = world.prove(EMAIL, Purpose::SignUp).await.expect("proved");
    let with_proof = || world.sign_up_proven(EMAIL, Some(PASSWORD), proof.clone());
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
    let taken = world.sign_up_proven(EMAIL, Some(PASSWORD), second);
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
    let wrong_purpose = world.sign_up_proven(EMAIL, Some(PASSWORD), for_sign_in);
    assert_eq!(
        refusal(wrong_purpose.execute(&world.app).await),
        Refusal::Proof
    );
    let other = world
        .prove("other@example.com", Purpose::SignUp)
        .await
        .expect("proved");
    let wrong_address = world.sign_up_proven("third@example.com", Some(PASSWORD), other);
    assert_eq!(
        refusal(wrong_address.execute(&world.app).await),
        Refusal::Proof
    );
}

#[tokio::test]
async fn asking_for_taken_names_is_charged_to_the_source() {
    let world = World::with(|settings| settings.verification.sends_per_source = 2).await;
    let proof = world.prove(EMAIL, Purpose::SignUp).await.expect("proved");
    let owner = world.sign_up_proven(EMAIL, Some(PASSWORD), proof);
    let owner = named(owner, "mina").execute(&world.app).await;
    owner.expect("signed up");
    let ask = || {
        let mut sign_up = named(world.sign_up("other@example.com", PASSWORD), "mina");
        sign_up.client.ip_address = "192.0.2.1".parse().ok();
        sign_up.execute(&world.app)
    };
    for _ in 0..2 {
        assert_eq!(refusal(ask().await), Refusal::UsernameTaken);
    }
    let third = ask().await;
    assert!(
        matches!(
            third,
            Err(Error::Exhausted {
                limit: Limit::Messages,
                ..
            })
        ),
        "{third:?}"
    );
}

#[tokio::test]
async fn a_wrong_code_confirms_no_sign_up_and_the_right_one_does_once() {
    let world = World::new().await;
    let right = world.pending(EMAIL, PASSWORD).await;
    let confirm = |code: &Code| ConfirmSignUp {
        verification_id: right.verification_id,
        code: code.clone(),
    };
    let wrong = Code::parse("nope".into()).expect("a code");
    for remaining in [4, 3] {
        let refused = confirm(&wrong).execute(&world.app).await;
        assert_eq!(refusal(refused), Refusal::Code { remaining });
    }
    let confirmed = confirm(&right.code).execute(&world.app).await;
    confirmed.expect("it is right");
    let again = confirm(&right.code).execute(&world.app).await;
    assert_eq!(refusal(again), Refusal::Verification);
}
