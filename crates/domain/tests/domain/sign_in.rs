//! Signing in: one answer and one cost, whoever asks.

use std::time::Duration;

use countersign_domain::model::{PasswordHash, Purpose, UserId};
use countersign_domain::ports::Clock as _;
use countersign_domain::testing::{World, refusal, sign_in};
use countersign_domain::use_cases::{Grant, IssueTokens};
use countersign_domain::{Error, Limit, Refusal};

const EMAIL: &str = "mina@example.com";
const PASSWORD: &str = "a long enough phrase";

#[tokio::test]
async fn every_refused_sign_in_costs_one_hash_and_says_the_same() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    world.pending("pending@example.com", PASSWORD).await;
    let proof = world
        .prove("codes@example.com", Purpose::SignUp)
        .await
        .expect("proved");
    world
        .sign_up_proven("codes@example.com", None, proof)
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
            .into_tokens()
            .user_id,
        user_id
    );
    assert_eq!(
        refusal(with_code().execute(&world.app).await),
        Refusal::Proof
    );
}

#[tokio::test]
async fn a_source_that_guesses_must_wait_and_a_good_sign_in_gives_back_its_own_share() {
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
    assert_eq!(
        refusal(world.sign_in(EMAIL, "the wrong phrase").await),
        Refusal::SignIn,
        "the tenth wrong one"
    );
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
    let world = World::with(|settings| settings.password_attempts = 3).await;
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
    let world = World::with(|settings| settings.password_attempts = 1).await;
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

async fn has_hash(world: &World, user_id: UserId, hash: &str) -> bool {
    let account = world.app.store.account(user_id).await;
    let account = account.expect("read").expect("an account");
    account.credential.expect("a password").hash == PasswordHash::new(hash.into())
}

async fn with_old_hash(world: &World) -> UserId {
    let user_id = world.user(EMAIL, PASSWORD).await;
    let old = PasswordHash::new(format!("old:{PASSWORD}"));
    let mut uow = world.app.store.begin().await.expect("begun");
    uow.clear_failures(user_id, Some(&old), world.app.clock.now())
        .await
        .expect("written");
    uow.commit().await.expect("committed");
    world.hasher.take_count();
    user_id
}

#[tokio::test]
async fn an_outdated_hash_costs_its_owner_a_new_one_once_and_nobody_else() {
    let world = World::new().await;
    let user_id = with_old_hash(&world).await;
    let _ = refusal(world.sign_in(EMAIL, "the wrong phrase").await);
    assert_eq!(world.hasher.take_count(), 1);
    assert!(has_hash(&world, user_id, &format!("old:{PASSWORD}")).await);
    for hashes in [2, 1] {
        world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
        assert_eq!(world.hasher.take_count(), hashes);
        assert!(has_hash(&world, user_id, &format!("plain:{PASSWORD}")).await);
    }
}

#[tokio::test]
async fn a_right_password_that_is_refused_costs_what_a_wrong_one_does() {
    let world = World::with(|settings| settings.password_attempts = 1).await;
    let user_id = with_old_hash(&world).await;
    let _ = refusal(world.sign_in(EMAIL, "the wrong phrase").await);
    world.hasher.take_count();
    assert_eq!(
        refusal(world.sign_in(EMAIL, PASSWORD).await),
        Refusal::SignIn
    );
    assert_eq!(world.hasher.take_count(), 1);
    assert!(has_hash(&world, user_id, &format!("old:{PASSWORD}")).await);
}
