//! A database that is away: what could not be done costs nobody anything, so that
//! the same call succeeds afterwards.

use countersign_domain::model::{Locale, Password, Proof, Purpose};
use countersign_domain::testing::{World, password, refusal, sign_in};
use countersign_domain::use_cases::{
    ChangePassword, ConfirmSignUp, Grant, IssueTokens, ResetPassword,
};
use countersign_domain::{Error, Limit, Refusal};

const EMAIL: &str = "mina@example.com";
const PASSWORD: &str = "a long enough phrase";
const NEW: &str = "another long phrase";

fn with_code(proof: &Proof) -> IssueTokens {
    IssueTokens {
        grant: Grant::VerifiedCode(proof.clone()),
        ..sign_in(EMAIL, PASSWORD)
    }
}

fn reset(proof: &Proof) -> ResetPassword {
    ResetPassword {
        proof: proof.clone(),
        new: password(NEW),
        locale: Locale::English,
    }
}

fn change(access_token: &str, current: &str) -> ChangePassword {
    ChangePassword {
        access_token: access_token.into(),
        current: Password::to_compare(current.into()).expect("a password"),
        new: password(NEW),
        locale: Locale::English,
    }
}

fn assert_unavailable<T: std::fmt::Debug>(outcome: &Result<T, Error>) {
    let is_unavailable = outcome.as_ref().is_err_and(|error| !error.is_an_answer());
    assert!(is_unavailable, "{outcome:?}");
}

#[tokio::test]
async fn a_proof_is_not_spent_on_what_could_not_be_done() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    let for_sign_in = world.prove(EMAIL, Purpose::SignIn).await.expect("proved");
    let for_reset = world.prove(EMAIL, Purpose::PasswordReset).await;
    let for_reset = for_reset.expect("proved");
    world.store.fail_begins(true);
    for _ in 0..3 {
        assert_unavailable(&with_code(&for_sign_in).execute(&world.app).await);
        assert_unavailable(&reset(&for_reset).execute(&world.app).await);
    }
    world.store.fail_begins(false);
    let tokens = with_code(&for_sign_in).execute(&world.app).await;
    tokens.expect("signed in");
    let done = reset(&for_reset).execute(&world.app).await;
    done.expect("the password is set");
    let again = with_code(&for_sign_in).execute(&world.app).await;
    assert_eq!(refusal(again), Refusal::Proof);
    let again = reset(&for_reset).execute(&world.app).await;
    assert_eq!(refusal(again), Refusal::Proof);
}

#[tokio::test]
async fn a_proof_is_spent_by_a_refusal_and_before_a_commit() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    let proof = world.prove(EMAIL, Purpose::SignIn).await.expect("proved");
    // What became of the commit is not known to who asked for it.
    world.store.fail_commits(true);
    assert_unavailable(&with_code(&proof).execute(&world.app).await);
    world.store.fail_commits(false);
    let again = with_code(&proof).execute(&world.app).await;
    assert_eq!(refusal(again), Refusal::Proof);
}

#[tokio::test]
async fn the_right_code_of_a_sign_up_stays_good_until_the_user_is_there() {
    let world = World::new().await;
    let confirm = world.pending(EMAIL, PASSWORD).await;
    let confirm = || ConfirmSignUp {
        verification_id: confirm.verification_id,
        code: confirm.code.clone(),
    };
    world.store.fail_begins(true);
    assert_unavailable(&confirm().execute(&world.app).await);
    world.store.fail_begins(false);
    world.store.fail_commits(true);
    for _ in 0..7 {
        assert_unavailable(&confirm().execute(&world.app).await);
    }
    world.store.fail_commits(false);
    let created = confirm().execute(&world.app).await;
    created.expect("the user is created");
    let again = confirm().execute(&world.app).await;
    assert_eq!(refusal(again), Refusal::Verification);
}

#[tokio::test]
async fn an_attempt_that_nobody_learned_anything_from_is_given_back() {
    let world = World::with(|settings| {
        for (limit, _) in &mut settings.source_attempts {
            *limit = 3;
        }
    })
    .await;
    world.user(EMAIL, PASSWORD).await;
    world.store.fail_begins(true);
    for _ in 0..10 {
        assert_unavailable(&world.sign_in(EMAIL, PASSWORD).await);
    }
    world.store.fail_begins(false);
    let tokens = world.sign_in(EMAIL, PASSWORD).await;
    tokens.expect("nothing was charged");
    for _ in 0..3 {
        let wrong = world.sign_in(EMAIL, "the wrong phrase").await;
        assert_eq!(refusal(wrong), Refusal::SignIn);
    }
    let fourth = world.sign_in(EMAIL, PASSWORD).await;
    assert!(is_exhausted(&fourth), "{fourth:?}");
}

#[tokio::test]
async fn who_stole_a_token_cannot_guess_the_password_with_it_for_long() {
    let world = World::with(|settings| {
        for (limit, _) in &mut settings.source_attempts {
            *limit = 3;
        }
    })
    .await;
    world.user(EMAIL, PASSWORD).await;
    let stolen = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    let owners = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    for _ in 0..3 {
        let wrong = change(&stolen.access_token, "the wrong phrase");
        let wrong = wrong.execute(&world.app).await;
        assert_eq!(refusal(wrong), Refusal::Password);
    }
    let fourth = change(&stolen.access_token, PASSWORD);
    let fourth = fourth.execute(&world.app).await;
    assert!(is_exhausted(&fourth), "{fourth:?}");
    let changed = change(&owners.access_token, PASSWORD);
    let changed = changed.execute(&world.app).await;
    changed.expect("the owner's own session has a budget of its own");
}

fn is_exhausted<T>(outcome: &Result<T, Error>) -> bool {
    matches!(
        outcome,
        Err(Error::Exhausted {
            limit: Limit::Attempts,
            ..
        })
    )
}
