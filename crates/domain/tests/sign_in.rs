//! Signing up and in: one answer and one cost, whoever asks.

use std::time::Duration;

use countersign_domain::model::{Code, Purpose, Scope};
use countersign_domain::ports::Content;
use countersign_domain::testing::{World, send_code, sign_in, sign_up};
use countersign_domain::use_cases::{
    CheckCode, ConfirmSignUp, Grant, IssueTokens, SignUp, SignedUp, Which,
};
use countersign_domain::{Error, Limit, Refusal};

const EMAIL: &str = "mina@example.com";
const PASSWORD: &str = "a long enough phrase";

fn refusal<T: std::fmt::Debug>(result: Result<T, Error>) -> Refusal {
    match result {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

async fn pending(world: &World, email: &str, password: &str) -> ConfirmSignUp {
    let signed_up = sign_up(email, password)
        .execute(&world.app)
        .await
        .expect("signed up");
    let SignedUp::Pending {
        verification_id, ..
    } = signed_up
    else {
        panic!("the user is active without a proof");
    };
    let code = Code::parse(world.outbox.take_code()).expect("a code");
    world
        .clock
        .advance(world.app.settings.verification.cooldown);
    ConfirmSignUp {
        verification_id,
        code,
    }
}

#[tokio::test]
async fn a_pending_user_signs_in_only_after_the_code() {
    let world = World::new().await;
    let confirm = pending(&world, EMAIL, PASSWORD).await;
    assert_eq!(
        refusal(world.sign_in(EMAIL, PASSWORD).await),
        Refusal::SignIn
    );
    let user_id = confirm.execute(&world.app).await.expect("confirmed");
    let tokens = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    assert_eq!(tokens.user_id, user_id);
}

#[tokio::test]
async fn every_refused_sign_in_costs_one_hash_and_says_the_same() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    pending(&world, "pending@example.com", PASSWORD).await;
    let proof = world
        .prove("codes@example.com", Purpose::SignUp)
        .await
        .expect("proved");
    let without_password = SignUp {
        proof: Some(proof),
        password: None,
        ..sign_up("codes@example.com", PASSWORD)
    };
    without_password
        .execute(&world.app)
        .await
        .expect("signed up without a password");
    for (email, password) in [
        ("nobody@example.com", PASSWORD),
        (EMAIL, "the wrong phrase"),
        ("pending@example.com", PASSWORD),
        ("codes@example.com", PASSWORD),
    ] {
        world.hasher.take_count();
        assert_eq!(
            refusal(world.sign_in(email, password).await),
            Refusal::SignIn,
            "{email}"
        );
        assert_eq!(world.hasher.take_count(), 1, "{email}");
    }
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
    let attacker = pending(&world, EMAIL, "the attacker's phrase").await;
    let owner = pending(&world, EMAIL, PASSWORD).await;
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

#[tokio::test]
async fn a_verified_code_signs_in_without_a_password_once() {
    let world = World::new().await;
    let user_id = world.user(EMAIL, PASSWORD).await;
    let proof = world.prove(EMAIL, Purpose::SignIn).await.expect("proved");
    let with_code = || IssueTokens {
        grant: Grant::VerifiedCode(proof.clone()),
        ..sign_in(EMAIL, PASSWORD)
    };
    assert_eq!(
        with_code()
            .execute(&world.app)
            .await
            .expect("signed in")
            .user_id,
        user_id
    );
    assert_eq!(
        refusal(with_code().execute(&world.app).await),
        Refusal::Proof
    );
}

#[tokio::test]
async fn a_sign_in_code_is_sent_to_users_only_and_nobody_can_tell() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    world.outbox.take();
    send_code("nobody@example.com", Purpose::SignIn)
        .execute(&world.app)
        .await
        .expect("looks sent");
    assert!(world.outbox.take().is_empty());
    send_code(EMAIL, Purpose::SignIn)
        .execute(&world.app)
        .await
        .expect("sent");
    assert_eq!(world.outbox.take().len(), 1);
}

#[tokio::test]
async fn a_code_has_five_tries_and_a_new_one_renews_no_budget() {
    let world = World::new().await;
    let wrong = || Code::parse("nope".into()).expect("a code");
    for round in 0..2 {
        let sent = send_code(EMAIL, Purpose::SignUp)
            .execute(&world.app)
            .await
            .expect("sent");
        let right = Code::parse(world.outbox.take_code()).expect("a code");
        for remaining in (0..5).rev() {
            let check = CheckCode {
                which: Which::Id(sent.record.id),
                code: wrong(),
            };
            assert_eq!(
                refusal(check.execute(&world.app).await),
                Refusal::Code { remaining },
                "round {round}"
            );
        }
        let check = CheckCode {
            which: Which::Id(sent.record.id),
            code: right,
        };
        assert_eq!(
            refusal(check.execute(&world.app).await),
            Refusal::Verification,
            "round {round}"
        );
        world
            .clock
            .advance(world.app.settings.verification.cooldown);
    }
    let sent = send_code(EMAIL, Purpose::SignUp)
        .execute(&world.app)
        .await
        .expect("sent");
    let right = Code::parse(world.outbox.take_code()).expect("a code");
    let check = CheckCode {
        which: Which::Id(sent.record.id),
        code: right,
    };
    assert!(matches!(
        check.execute(&world.app).await,
        Err(Error::Exhausted {
            limit: Limit::Attempts,
            ..
        })
    ));
}

#[tokio::test]
async fn an_expired_code_is_refused() {
    let world = World::new().await;
    let sent = send_code(EMAIL, Purpose::SignUp)
        .execute(&world.app)
        .await
        .expect("sent");
    let code = Code::parse(world.outbox.take_code()).expect("a code");
    world.clock.advance(Duration::from_secs(300));
    let check = CheckCode {
        which: Which::Id(sent.record.id),
        code,
    };
    assert_eq!(
        refusal(check.execute(&world.app).await),
        Refusal::Verification
    );
}

#[tokio::test]
async fn codes_to_one_address_come_a_minute_apart() {
    let world = World::new().await;
    send_code(EMAIL, Purpose::SignUp)
        .execute(&world.app)
        .await
        .expect("sent");
    world.clock.advance(Duration::from_secs(59));
    let early = send_code(EMAIL, Purpose::SignUp).execute(&world.app).await;
    let Err(Error::Exhausted {
        limit: Limit::Messages,
        retry_after,
    }) = early
    else {
        panic!("expected a limit, got {early:?}");
    };
    assert!(retry_after <= Duration::from_secs(1), "{retry_after:?}");
    world.clock.advance(Duration::from_secs(1));
    send_code(EMAIL, Purpose::SignUp)
        .execute(&world.app)
        .await
        .expect("sent again");
}

#[tokio::test]
async fn a_source_that_guesses_must_wait_and_a_good_sign_in_clears_it() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    for _ in 0..9 {
        assert_eq!(
            refusal(world.sign_in(EMAIL, "the wrong phrase").await),
            Refusal::SignIn
        );
    }
    world
        .sign_in(EMAIL, PASSWORD)
        .await
        .expect("the tenth is right");
    for _ in 0..10 {
        assert_eq!(
            refusal(world.sign_in(EMAIL, "the wrong phrase").await),
            Refusal::SignIn
        );
    }
    let blocked = world.sign_in(EMAIL, PASSWORD).await;
    assert!(
        matches!(
            blocked,
            Err(Error::Exhausted {
                limit: Limit::Attempts,
                ..
            })
        ),
        "{blocked:?}"
    );
    world.clock.advance(Duration::from_secs(15 * 60));
    world
        .sign_in(EMAIL, PASSWORD)
        .await
        .expect("after the wait");
}

#[tokio::test]
async fn after_too_many_failures_in_a_row_the_right_password_is_refused_too() {
    let mut world = World::new().await;
    world.app.settings.password_attempts = 3;
    world.user(EMAIL, PASSWORD).await;
    for _ in 0..3 {
        assert_eq!(
            refusal(world.sign_in(EMAIL, "the wrong phrase").await),
            Refusal::SignIn
        );
    }
    assert_eq!(
        refusal(world.sign_in(EMAIL, PASSWORD).await),
        Refusal::SignIn
    );
}

#[tokio::test]
async fn an_overloaded_hasher_counts_no_failure() {
    let mut world = World::new().await;
    world.app.settings.password_attempts = 1;
    world.user(EMAIL, PASSWORD).await;
    world.hasher.overload(true);
    let shed = world.sign_in(EMAIL, PASSWORD).await;
    assert!(
        matches!(
            shed,
            Err(Error::Exhausted {
                limit: Limit::Hashing,
                ..
            })
        ),
        "{shed:?}"
    );
    world.hasher.overload(false);
    world
        .sign_in(EMAIL, PASSWORD)
        .await
        .expect("it was not counted");
}

#[tokio::test]
async fn only_offered_audiences_and_scopes_are_granted() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    let scope = |text| Scope::parse(text).expect("a scope");
    let wrong = IssueTokens {
        audience: Some("elsewhere".into()),
        scopes: vec![scope("orders.read"), scope("admin")],
        ..sign_in(EMAIL, PASSWORD)
    };
    let Err(Error::Invalid(violations)) = wrong.execute(&world.app).await else {
        panic!("it was granted");
    };
    let fields: Vec<_> = violations.iter().map(|v| v.field.as_str()).collect();
    assert_eq!(fields, ["audience", "scopes[1]"]);
}
