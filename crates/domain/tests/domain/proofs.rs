//! Proofs: worth nothing once the lock was changed.

use std::time::Duration;

use countersign_domain::model::{Locale, Password, Proof, Purpose};
use countersign_domain::ports::EphemeralStore as _;
use countersign_domain::testing::{SeededRandom, World, password, refusal, send_code, sign_in};
use countersign_domain::use_cases::{
    ChangePassword, CheckCode, Grant, IssueTokens, ResetPassword, Which,
};
use countersign_domain::validation::{NotAccepted, Question, Validation};
use countersign_domain::{Error, Refusal};

const EMAIL: &str = "mina@example.com";
const FIRST: &str = "a long enough phrase";
const SECOND: &str = "another long phrase";

fn with_code(proof: Proof) -> IssueTokens {
    IssueTokens {
        grant: Grant::VerifiedCode(proof),
        ..sign_in(EMAIL, FIRST)
    }
}

fn reset(proof: Proof, text: &str) -> ResetPassword {
    ResetPassword {
        proof,
        new: password(text),
        locale: Locale::English,
    }
}

/// A change of the password by somebody who is signed in.
async fn change(world: &World, current: &str) -> ChangePassword {
    let tokens = world.sign_in(EMAIL, FIRST).await.expect("signed in");
    ChangePassword {
        access_token: tokens.access_token,
        current: Password::to_compare(current.into()).expect("a password"),
        new: password(SECOND),
        locale: Locale::English,
    }
}

/// Proofs of both purposes, made before the password is changed.
async fn proofs(world: &World) -> (Proof, Proof) {
    let sign_in = world.prove(EMAIL, Purpose::SignIn).await.expect("proved");
    let reset = world.prove(EMAIL, Purpose::PasswordReset).await;
    (sign_in, reset.expect("proved"))
}

async fn assert_worthless(world: &World, (for_sign_in, for_reset): (Proof, Proof)) {
    let signed_in = with_code(for_sign_in).execute(&world.app).await;
    assert_eq!(refusal(signed_in), Refusal::Proof);
    let was_reset = reset(for_reset, "an attacker's phrase").execute(&world.app);
    assert_eq!(refusal(was_reset.await), Refusal::Proof);
}

#[tokio::test]
async fn a_proof_made_before_a_password_change_is_worthless() {
    let world = World::new().await;
    world.user(EMAIL, FIRST).await;
    let before = proofs(&world).await;
    let changed = change(&world, FIRST).await.execute(&world.app).await;
    changed.expect("changed");
    assert_worthless(&world, before).await;
    let (for_sign_in, for_reset) = proofs(&world).await;
    with_code(for_sign_in)
        .execute(&world.app)
        .await
        .expect("one made after");
    reset(for_reset, "a third long phrase")
        .execute(&world.app)
        .await
        .expect("one made after");
}

#[tokio::test]
async fn a_proof_made_before_a_reset_is_worthless() {
    let world = World::new().await;
    world.user(EMAIL, FIRST).await;
    let before = proofs(&world).await;
    let proof = world.prove(EMAIL, Purpose::PasswordReset).await;
    reset(proof.expect("proved"), SECOND)
        .execute(&world.app)
        .await
        .expect("reset");
    assert_worthless(&world, before).await;
}

#[tokio::test]
async fn a_code_sent_before_a_reset_yields_a_worthless_proof() {
    let world = World::new().await;
    world.user(EMAIL, FIRST).await;
    let sent = send_code(EMAIL, Purpose::SignIn)
        .execute(&world.app)
        .await
        .expect("sent");
    let code = world.take_code().await;
    world
        .clock
        .advance(world.app.settings.verification.cooldown);
    let proof = world.prove(EMAIL, Purpose::PasswordReset).await;
    reset(proof.expect("proved"), SECOND)
        .execute(&world.app)
        .await
        .expect("reset");
    let checked = CheckCode {
        which: Which::Id(sent.record.id),
        code,
    };
    let proof = checked.execute(&world.app).await.expect("right").proof;
    let signed_in = with_code(proof).execute(&world.app).await;
    assert_eq!(refusal(signed_in), Refusal::Proof);
}

#[tokio::test]
async fn a_proof_is_good_for_its_own_purpose_alone() {
    let world = World::new().await;
    world.user(EMAIL, FIRST).await;
    let (for_sign_in, for_reset) = proofs(&world).await;
    let wrongly_reset = reset(for_sign_in.clone(), SECOND).execute(&world.app);
    assert_eq!(refusal(wrongly_reset.await), Refusal::Proof);
    let wrongly_in = with_code(for_reset.clone()).execute(&world.app).await;
    assert_eq!(refusal(wrongly_in), Refusal::Proof);
    let new = world.sign_up_proven("new@example.com", None, for_reset.clone());
    assert_eq!(refusal(new.execute(&world.app).await), Refusal::Proof);
    let signed_in = with_code(for_sign_in).execute(&world.app).await;
    signed_in.expect("what was refused spent nothing");
    let was_reset = reset(for_reset, SECOND).execute(&world.app).await;
    was_reset.expect("what was refused spent nothing");
}

#[tokio::test]
async fn a_proof_is_good_in_its_own_group_alone() {
    let world = World::new().await;
    world.user(EMAIL, FIRST).await;
    let proof = world.prove(EMAIL, Purpose::SignIn).await.expect("proved");
    let elsewhere = IssueTokens {
        group: world.group("another").await,
        ..with_code(proof.clone())
    };
    let refused = elsewhere.execute(&world.app).await;
    assert_eq!(refusal(refused), Refusal::Proof);
    let signed_in = with_code(proof).execute(&world.app).await;
    signed_in.expect("what was refused spent nothing");
}

/// Whoever can write to the store makes no proof of what is kept there.
#[tokio::test]
async fn what_is_kept_is_a_proof_under_its_own_name_alone() {
    let world = World::new().await;
    world.user(EMAIL, FIRST).await;
    let proof = world.prove(EMAIL, Purpose::SignIn).await.expect("proved");
    let key = |proof: &Proof| format!("proof:{}", proof.digest());
    let kept = world.ephemeral.get(&key(&proof)).await.expect("get");
    let kept = kept.expect("it is kept");
    let invented = Proof::generate(&SeededRandom::new(7));
    let ttl = Duration::from_secs(60);
    // A record without its head is what is kept of a code.
    for copied in [&kept[..], &kept[45..]] {
        let put = world.ephemeral.put(&key(&invented), copied, ttl).await;
        put.expect("put");
        let signed_in = with_code(invented.clone()).execute(&world.app).await;
        assert!(matches!(signed_in, Err(Error::Internal(_))));
    }
    let signed_in = with_code(proof).execute(&world.app).await;
    signed_in.expect("its own");
}

#[test]
fn what_is_no_proof_is_not_looked_for() {
    let proof = Proof::generate(&SeededRandom::new(1)).expose().to_owned();
    assert!(proof.starts_with("csp_") && proof.len() == 47);
    let read = Proof::parse(proof.clone()).expect("a proof");
    assert_eq!(read.expose(), proof);
    for other in [
        String::new(),
        proof[..46].to_owned(),
        format!("{proof}A"),
        proof.replacen("csp_", "csr_", 1),
    ] {
        assert!(Proof::parse(other.clone()).is_err(), "{other}");
    }
}

#[tokio::test]
async fn a_wrong_current_password_changes_nothing() {
    let world = World::new().await;
    world.user(EMAIL, FIRST).await;
    let wrong = change(&world, "the wrong phrase").await;
    let refused = wrong.execute(&world.app).await;
    assert_eq!(refusal(refused), Refusal::Password);
    world.sign_in(EMAIL, FIRST).await.expect("as before");
}

#[tokio::test]
async fn after_too_many_wrong_ones_the_right_current_password_is_not_compared() {
    let world = World::with(|settings| settings.password_attempts = 3).await;
    world.user(EMAIL, FIRST).await;
    let right = change(&world, FIRST).await;
    for _ in 0..3 {
        let wrong = change(&world, "the wrong phrase").await;
        assert_eq!(refusal(wrong.execute(&world.app).await), Refusal::Password);
    }
    let refused = right.execute(&world.app).await;
    assert!(
        matches!(refused, Err(Error::Exhausted { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_lost_race_is_repeated_five_times() {
    let world = World::new().await;
    world.user(EMAIL, FIRST).await;
    let changing = change(&world, FIRST).await;
    world.store.conflict(6);
    let given_up = changing.execute(&world.app).await;
    assert!(given_up.is_err());
    let changing = change(&world, FIRST).await;
    world.store.conflict(5);
    let changed = changing.execute(&world.app).await;
    changed.expect("the sixth attempt");
    let proof = world.prove(EMAIL, Purpose::PasswordReset).await;
    world.store.conflict(5);
    let was_reset = reset(proof.expect("proved"), "a third long phrase");
    let was_reset = was_reset.execute(&world.app).await;
    was_reset.expect("the sixth attempt");
    let proof = world.prove(EMAIL, Purpose::PasswordReset).await;
    world.store.conflict(6);
    let given_up = reset(proof.expect("proved"), "a fourth long phrase");
    assert!(given_up.execute(&world.app).await.is_err());
}

#[tokio::test]
async fn sessions_that_a_new_password_ends_are_rejected_from_the_answer_on() {
    let world = World::new().await;
    world.user(EMAIL, FIRST).await;
    let elsewhere = world.sign_in(EMAIL, FIRST).await.expect("signed in");
    let changing = change(&world, FIRST).await;
    let here = changing.access_token.clone();
    let validator = world.validator();
    let validate = |token: &str| {
        validator.validate(Question {
            token,
            audience: "",
            scopes: &[],
            authentication: None,
        })
    };
    let is_revoked = |token: &str| match validate(token) {
        Validation::Valid(_) => false,
        Validation::Rejected(NotAccepted::Revoked) => true,
        other => panic!("expected an answer, got {other:?}"),
    };
    world.read().await;
    assert!(!is_revoked(&elsewhere.access_token) && !is_revoked(&here));
    changing.execute(&world.app).await.expect("changed");
    assert!(is_revoked(&elsewhere.access_token) && !is_revoked(&here));
    assert_eq!(world.notifications.revocations(), 1);

    let proof = world.prove(EMAIL, Purpose::PasswordReset).await;
    world.read().await;
    assert!(!is_revoked(&here));
    let was_reset = reset(proof.expect("proved"), "a third long phrase");
    was_reset.execute(&world.app).await.expect("reset");
    assert!(is_revoked(&here));
    assert_eq!(world.notifications.revocations(), 2);
}
