//! The main job from end to end, on every backend: sign up, prove an address,
//! sign in, validate, refresh, and verify tokens without the server.

use std::time::Duration;

use countersign_proto::v1;
use countersign_proto::v1::RejectionReason;
use countersign_proto::v1::issue_tokens_request::Grant;
use countersign_proto::v1::validate_token_response::Verdict;
use countersign_tests::{
    Backend, Details, PASSWORD, Person, World, email, on_every_backend, reason, username,
};
use countersign_token::{KeySet, Verifier};

on_every_backend!(
    who_has_proved_an_address_is_active_at_once,
    who_has_not_confirms_with_the_code_that_was_sent,
    a_verified_code_signs_in_without_a_password,
    a_verification_can_be_looked_at_and_cancelled,
    a_refresh_renews_both_tokens_and_keeps_the_session,
    tokens_carry_the_audience_and_the_scopes_asked_for,
    many_tokens_are_judged_in_one_call,
    the_published_keys_verify_a_token_without_the_server,
    groups_do_not_see_each_other,
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

async fn a_refresh_renews_both_tokens_and_keeps_the_session(backend: Backend) {
    let world = World::start(backend, 1).await;
    let mina = world.sign_up().await;
    let first = mina.sign_in().await;
    let second = mina
        .gateway
        .refresh(&first.refresh_token)
        .await
        .expect("new tokens");
    assert_eq!(second.session_id, first.session_id);
    assert_ne!(second.refresh_token, first.refresh_token);
    assert_ne!(second.access_token, first.access_token);
    for tokens in [&first, &second] {
        assert_eq!(mina.gateway.judge(&tokens.access_token).await, "VALID");
    }
    let forged = first.refresh_token.replace("csr_A", "csr_B");
    assert_eq!(
        reason(&mina.gateway.refresh(&forged).await),
        "REFRESH_TOKEN_INVALID"
    );
}

async fn tokens_carry_the_audience_and_the_scopes_asked_for(backend: Backend) {
    let world = World::on(backend)
        .set("tokens.audiences", vec!["shop", "bank"])
        .set("tokens.scopes", vec!["profile", "orders.read"])
        .start()
        .await;
    let mina = world.sign_up().await;
    let tokens = mina
        .gateway
        .issue_tokens(asking_for(&mina, "bank", &["profile"]))
        .await;
    let tokens = tokens.expect("tokens");
    let ask = |audience: &str, scope: &str| v1::ValidateTokenRequest {
        access_token: tokens.access_token.clone(),
        audience: audience.into(),
        required_scopes: vec![scope.into()],
    };
    let good = mina
        .gateway
        .ask(ask("bank", "profile"))
        .await
        .expect("an answer");
    assert_eq!(good.expect("good").scopes, ["profile"]);
    let foreign = mina
        .gateway
        .ask(ask("shop", "profile"))
        .await
        .expect("an answer");
    assert_eq!(foreign, Err(RejectionReason::WrongAudience));
    let by_default = mina
        .gateway
        .ask(ask("", "profile"))
        .await
        .expect("an answer");
    assert_eq!(
        by_default,
        Err(RejectionReason::WrongAudience),
        "shop is the default"
    );
    let too_much = mina
        .gateway
        .ask(ask("bank", "orders.read"))
        .await
        .expect("an answer");
    assert_eq!(too_much, Err(RejectionReason::InsufficientScope));

    let not_offered = asking_for(&mina, "casino", &["orders.write", "admin"]);
    let status = mina
        .gateway
        .issue_tokens(not_offered)
        .await
        .expect_err("not offered");
    let fields = Details::of(&status).fields;
    assert_eq!(fields, ["audience", "scopes[0]", "scopes[1]"]);
}

async fn many_tokens_are_judged_in_one_call(backend: Backend) {
    let world = World::start(backend, 1).await;
    let mina = world.sign_up().await;
    let (good, ended) = (mina.sign_in().await, mina.sign_in().await);
    mina.gateway
        .revoke(&ended.access_token)
        .await
        .expect("ended");
    let ask = |token: &str| v1::ValidateTokenRequest {
        access_token: token.into(),
        ..Default::default()
    };
    let requests = vec![
        ask(&good.access_token),
        ask("garbage"),
        ask(&ended.access_token),
    ];
    let request = v1::ValidateTokensRequest { requests };
    let answers = mina
        .gateway
        .auth()
        .validate_tokens(request)
        .await
        .expect("answers");
    let words: Vec<_> = answers
        .into_inner()
        .responses
        .into_iter()
        .map(|answer| match answer.verdict {
            Some(Verdict::Rejected(rejection)) => Some(rejection.reason()),
            Some(Verdict::Valid(_)) | None => None,
        })
        .collect();
    let expected = [
        None,
        Some(RejectionReason::Malformed),
        Some(RejectionReason::Revoked),
    ];
    assert_eq!(words, expected);
}

async fn the_published_keys_verify_a_token_without_the_server(backend: Backend) {
    let world = World::on(backend)
        .set("tokens.issuer", "https://id.example")
        .start()
        .await;
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    let listed = mina
        .gateway
        .auth()
        .list_signing_keys(v1::ListSigningKeysRequest {})
        .await;
    let listed = listed.expect("keys").into_inner();
    let states: Vec<_> = listed
        .signing_keys
        .iter()
        .map(v1::SigningKey::state)
        .collect();
    assert_eq!(
        states,
        [v1::SigningKeyState::Active, v1::SigningKeyState::Next]
    );

    let keys = KeySet::from_jwks(&listed.jwks).expect("a JWK set");
    let now = tokens
        .access_token_expire_time
        .map(|time| time.seconds - 1)
        .expect("a time");
    let verifier = Verifier::new("https://id.example", Duration::ZERO);
    let claims = verifier
        .verify(&keys, &tokens.access_token, now)
        .expect("a good token");
    assert_eq!(claims.sub, mina.user_id);
    assert_eq!(claims.sid, tokens.session_id);
}

async fn groups_do_not_see_each_other(backend: Backend) {
    let world = World::start(backend, 1).await;
    let mina = world.sign_up().await;
    let request = |group: &str| v1::IssueTokensRequest {
        group_id: group.into(),
        ..asking_for(&mina, "", &[])
    };
    assert_eq!(
        reason(&mina.gateway.issue_tokens(request("default")).await),
        "OK"
    );
    let elsewhere = mina.gateway.issue_tokens(request("elsewhere")).await;
    assert_eq!(reason(&elsewhere), "SIGN_IN_REFUSED");
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

fn asking_for(person: &Person, audience: &str, scopes: &[&str]) -> v1::IssueTokensRequest {
    v1::IssueTokensRequest {
        grant: Some(Grant::Password(v1::PasswordGrant {
            identifier: Some(email(&person.email)),
            password: PASSWORD.into(),
        })),
        audience: audience.into(),
        scopes: scopes.iter().map(|&scope| scope.into()).collect(),
        ..Default::default()
    }
}
