//! The main job, on every backend: sign up, prove an address, sign in.

use countersign_proto::v1;
use countersign_tests::{
    Backend, Details, PASSWORD, World, email, on_every_backend, reason, username,
};

on_every_backend!(
    who_has_proved_an_address_is_active_at_once,
    who_has_not_confirms_with_the_code_that_was_sent,
    a_verified_code_signs_in_without_a_password,
    a_verification_can_be_looked_at_and_cancelled,
    a_taken_address_is_told_only_to_who_proved_it,
);

async fn who_has_proved_an_address_is_active_at_once(backend: Backend) {
    let world = World::start(backend, 1).await;
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    assert_eq!(tokens.user_id, mina.user_id);

    let claims = mina
        .gateway
        .validate(&tokens.access_token)
        .await
        .expect("an answer");
    let claims = claims.expect("a good token");
    assert_eq!(claims.subject, mina.user_id);
    assert_eq!(claims.session_id, tokens.session_id);
    assert_eq!(claims.group_id, "default");
    assert_eq!(claims.authentication_methods, ["pwd"]);
    assert_eq!(claims.expire_time, tokens.access_token_expire_time);

    let by_name = mina
        .gateway
        .sign_in(username(&mina.username), PASSWORD)
        .await;
    assert_eq!(by_name.expect("tokens").user_id, mina.user_id);
}

async fn who_has_not_confirms_with_the_code_that_was_sent(backend: Backend) {
    let world = World::start(backend, 1).await;
    let gateway = world.gateway();
    let address = world.new_email();
    let pending = gateway
        .sign_up_unproven(&address, PASSWORD)
        .await
        .expect("an answer");

    let early = gateway.sign_in(email(&address), PASSWORD).await;
    assert_eq!(
        reason(&early),
        "SIGN_IN_REFUSED",
        "a pending user cannot sign in"
    );

    let code = world.read_code(&address).await;
    let confirmed = gateway.confirm(&pending.verification_id, &code).await;
    let user_id = confirmed.expect("the right code");
    let tokens = gateway
        .sign_in(email(&address), PASSWORD)
        .await
        .expect("tokens");
    assert_eq!(tokens.user_id, user_id);

    let again = gateway.confirm(&pending.verification_id, &code).await;
    assert_eq!(
        reason(&again),
        "VERIFICATION_NOT_FOUND",
        "a code works once"
    );
}

async fn a_verified_code_signs_in_without_a_password(backend: Backend) {
    let world = World::start(backend, 1).await;
    let mina = world.sign_up().await;
    let request = v1::SendCodeRequest {
        identifier: Some(email(&mina.email)),
        purpose: v1::Purpose::SignIn.into(),
        ..Default::default()
    };
    let sent = mina
        .gateway
        .verifications()
        .send_code(request)
        .await
        .expect("a code is sent");
    let code = world.read_code(&mina.email).await;
    let id = sent.into_inner().verification_id;
    let proof = mina.gateway.check_code(&id, &code).await.expect("a proof");
    let tokens = mina.gateway.sign_in_proven(&proof).await.expect("tokens");

    let claims = mina
        .gateway
        .validate(&tokens.access_token)
        .await
        .expect("an answer");
    let claims = claims.expect("a good token");
    assert_eq!(claims.subject, mina.user_id);
    assert_eq!(claims.authentication_methods, ["otp"]);
    let again = mina.gateway.sign_in_proven(&proof).await;
    assert_eq!(reason(&again), "PROOF_INVALID", "a proof works once");
}

async fn a_verification_can_be_looked_at_and_cancelled(backend: Backend) {
    let world = World::start(backend, 1).await;
    let gateway = world.gateway();
    let address = world.new_email();
    let sent = gateway
        .send_code(email(&address), v1::Purpose::SignUp, "204060")
        .await;
    let id = sent.expect("a code is sent");
    let wrong = gateway
        .check_code(&id, "000000")
        .await
        .expect_err("a wrong code");
    assert_eq!(Details::of(&wrong).metadata["remaining_attempts"], "4");

    let shown = gateway.verification(&id).await.expect("it is shown");
    assert_eq!(shown.remaining_attempts, 4);
    assert_eq!(shown.masked_address, address.replacen("mina@", "m***@", 1));

    let cancel = v1::CancelVerificationRequest {
        verification_id: id.clone(),
    };
    for _ in 0..2 {
        gateway
            .verifications()
            .cancel_verification(cancel.clone())
            .await
            .expect("repeatable");
    }
    let gone = gateway.check_code(&id, "204060").await;
    assert_eq!(reason(&gone), "VERIFICATION_NOT_FOUND");
    assert_eq!(
        reason(&gateway.verification(&id).await),
        "VERIFICATION_NOT_FOUND"
    );
}

async fn a_taken_address_is_told_only_to_who_proved_it(backend: Backend) {
    let world = World::start(backend, 1).await;
    let mina = world.sign_up().await;
    let pending = mina
        .gateway
        .sign_up_unproven(&mina.email, PASSWORD)
        .await
        .expect("an answer");
    let guess = mina
        .gateway
        .confirm(&pending.verification_id, "000000")
        .await;
    assert_eq!(reason(&guess), "CODE_WRONG", "as if a code were on its way");

    let proof = mina
        .gateway
        .prove(email(&mina.email), v1::Purpose::SignUp)
        .await;
    let proof = proof.expect("a proof");
    let taken = mina
        .gateway
        .sign_up_proven(email(&mina.email), "", PASSWORD, &proof)
        .await;
    assert_eq!(reason(&taken), "IDENTIFIER_TAKEN");
    assert_eq!(
        reason(&mina.try_password(PASSWORD).await),
        "OK",
        "the owner is as before"
    );
}
