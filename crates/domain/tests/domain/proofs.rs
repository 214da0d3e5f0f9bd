//! Proofs: worth nothing once the lock was changed.

use countersign_domain::Refusal;
use countersign_domain::model::{GroupId, Locale, Password, Proof, Purpose};
use countersign_domain::testing::{World, password, refusal, send_code, sign_in};
use countersign_domain::use_cases::{
    ChangePassword, CheckCode, Grant, IssueTokens, ResetPassword, Which,
};

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
    let tokens = world.sign_in(EMAIL, FIRST).await.expect("signed in");
    ChangePassword {
        access_token: tokens.access_token,
        current: Password::to_compare(FIRST.into()).expect("a password"),
        new: password(SECOND),
        locale: Locale::English,
    }
    .execute(&world.app)
    .await
    .expect("changed");
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
        group: GroupId::parse("another").expect("a group"),
        ..with_code(proof.clone())
    };
    let refused = elsewhere.execute(&world.app).await;
    assert_eq!(refusal(refused), Refusal::Proof);
    let signed_in = with_code(proof).execute(&world.app).await;
    signed_in.expect("what was refused spent nothing");
}
