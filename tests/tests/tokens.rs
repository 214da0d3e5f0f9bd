//! What tokens say and are good for, on every backend: they are renewed, judged
//! one by one and in batches, and verified without the server.

use std::time::Duration;

use countersign_proto::v1;
use countersign_proto::v1::RejectionReason;
use countersign_proto::v1::issue_tokens_request::Grant;
use countersign_proto::v1::validate_token_response::Verdict;
use countersign_tests::{
    Backend, Details, PASSWORD, Person, World, email, on_every_backend, reason,
};
use countersign_token::{KeySet, Verifier};

on_every_backend!(
    a_refresh_renews_both_tokens_and_keeps_the_session,
    tokens_carry_the_audience_and_the_scopes_asked_for,
    the_longest_roles_and_scopes_fit_into_a_token,
    many_tokens_are_judged_in_one_call,
    the_published_keys_verify_a_token_without_the_server,
    groups_do_not_see_each_other,
);

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
        ..Default::default()
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

async fn the_longest_roles_and_scopes_fit_into_a_token(backend: Backend) {
    let scopes: Vec<_> = (0..17).map(|number| format!("{number:->128}")).collect();
    let world = World::on(backend)
        .set("tokens.algorithm", "RS256")
        .set("tokens.scopes", scopes.clone())
        .start()
        .await;
    let mina = world.sign_up().await;
    let update = v1::UpdateUserRequest {
        user_id: mina.user_id.clone(),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["roles".into()],
        }),
        roles: (0..32).map(|number| format!("{number:->64}")).collect(),
        ..Default::default()
    };
    mina.gateway.update_user(update).await.expect("roles");
    let scopes: Vec<_> = scopes.iter().map(String::as_str).collect();
    let tokens = mina
        .gateway
        .issue_tokens(asking_for(&mina, "", &scopes[..16]))
        .await;
    let tokens = tokens.expect("it fits");
    let renewed = mina
        .gateway
        .refresh(&tokens.refresh_token)
        .await
        .expect("it fits");
    assert_eq!(mina.gateway.judge(&renewed.access_token).await, "VALID");
    let too_long = mina
        .gateway
        .issue_tokens(asking_for(&mina, "", &scopes))
        .await;
    let details = Details::of(&too_long.expect_err("it would not"));
    assert_eq!(details.fields, ["scopes"]);
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

    let (keys, faults) = KeySet::from_jwks(&listed.jwks).expect("a JWK set");
    assert_eq!(faults, []);
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
    world.make_groups(&["elsewhere"]).await;
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
    let nowhere = mina.gateway.issue_tokens(request("nowhere")).await;
    assert_eq!(reason(&nowhere), "GROUP_NOT_FOUND");
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
