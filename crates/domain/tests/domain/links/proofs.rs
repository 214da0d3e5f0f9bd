//! What comes of a link is worth what comes of a code.

use countersign_domain::Refusal;
use countersign_domain::model::{Locale, Password, Proof, Purpose};
use countersign_domain::testing::{LINK_PREFIX, World, password, refusal, sign_in};
use countersign_domain::use_cases::{
    ChangePassword, Grant, IssueTokens, Issued, ResetPassword, SignedUp,
};

use super::{EMAIL, PASSWORD, link, open};

fn with_proof(proof: Proof) -> IssueTokens {
    IssueTokens {
        grant: Grant::VerifiedCode(proof),
        ..sign_in(EMAIL, PASSWORD)
    }
}

#[tokio::test]
async fn a_link_signs_up_in_and_resets_as_a_code_does() {
    let world = World::new().await;
    let (_, to_sign_up) = link(&world, Purpose::SignUp).await;
    assert_eq!(to_sign_up.prefix.as_str(), LINK_PREFIX);
    let proof = open(&world, &to_sign_up.token).await.expect("right").proof;
    let signed_up = world.sign_up_proven(EMAIL, None, proof);
    let signed_up = signed_up.execute(&world.app).await;
    assert!(
        matches!(signed_up, Ok(SignedUp::Active(_))),
        "{signed_up:?}"
    );

    let (_, to_sign_in) = link(&world, Purpose::SignIn).await;
    let proof = open(&world, &to_sign_in.token).await.expect("right").proof;
    let tokens = with_proof(proof.clone()).execute(&world.app).await;
    assert!(
        matches!(tokens, Ok(Issued::Tokens(_))),
        "signed in without a password: {tokens:?}"
    );
    let again = with_proof(proof).execute(&world.app).await;
    assert_eq!(refusal(again), Refusal::Proof);

    let (_, to_reset) = link(&world, Purpose::PasswordReset).await;
    let proof = open(&world, &to_reset.token).await.expect("right").proof;
    let reset = ResetPassword {
        proof,
        new: password(PASSWORD),
        locale: Locale::English,
    };
    reset.execute(&world.app).await.expect("reset");
    world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
}

#[tokio::test]
async fn a_link_sent_before_the_password_was_changed_is_worthless() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    let (_, opened_before) = link(&world, Purpose::SignIn).await;
    let before = open(&world, &opened_before.token).await.expect("right");
    let (_, opened_after) = link(&world, Purpose::SignIn).await;
    let (_, to_reset) = link(&world, Purpose::PasswordReset).await;
    let tokens = world.sign_in(EMAIL, PASSWORD).await.expect("signed in");
    let change = ChangePassword {
        access_token: tokens.access_token,
        current: Password::to_compare(PASSWORD.into()).expect("a password"),
        new: password("another long phrase"),
        locale: Locale::English,
    };
    change.execute(&world.app).await.expect("changed");
    let after = open(&world, &opened_after.token).await.expect("right");
    for checked in [before, after] {
        let signed_in = with_proof(checked.proof).execute(&world.app).await;
        assert_eq!(refusal(signed_in), Refusal::Proof);
    }
    let checked = open(&world, &to_reset.token).await.expect("right");
    let reset = ResetPassword {
        proof: checked.proof,
        new: password("an attacker's phrase"),
        locale: Locale::English,
    };
    assert_eq!(refusal(reset.execute(&world.app).await), Refusal::Proof);
}

#[tokio::test]
async fn the_proof_of_a_link_is_good_in_its_group_and_for_its_purpose_alone() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    let (_, link) = link(&world, Purpose::SignIn).await;
    let proof = open(&world, &link.token).await.expect("right").proof;
    let elsewhere = IssueTokens {
        group: world.group("another").await,
        ..with_proof(proof.clone())
    };
    assert_eq!(refusal(elsewhere.execute(&world.app).await), Refusal::Proof);
    let reset = ResetPassword {
        proof: proof.clone(),
        new: password("an attacker's phrase"),
        locale: Locale::English,
    };
    assert_eq!(refusal(reset.execute(&world.app).await), Refusal::Proof);
    let signed_in = with_proof(proof).execute(&world.app).await;
    signed_in.expect("it was not spent");
}
