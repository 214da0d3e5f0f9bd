//! Service accounts: programs that get tokens in their own name, with a secret or a
//! private key, on every backend.

mod assertions;
mod commands;
mod people;
mod revocations;
mod traces;

use countersign_proto::v1;
use countersign_tests::{
    Backend, Details, Gateway, World, by_assertion, by_secret, on_every_backend, reason,
};
use countersign_token::Algorithm;
use tonic::Code;

on_every_backend!(a_service_account_gets_what_it_is_granted);

const SCOPES: [&str; 2] = ["refunds", "reports"];

/// A world in which scopes are granted.
async fn world(backend: Backend, replicas: usize) -> World {
    World::on(backend)
        .replicas(replicas)
        .set("tokens.granted_scopes", SCOPES.to_vec())
        .start()
        .await
}

async fn claims(gateway: &Gateway, token: &str) -> v1::Claims {
    let question = v1::ValidateTokenRequest {
        access_token: token.into(),
        ..Default::default()
    };
    let answer = gateway.auth().validate_token(question).await;
    match answer.expect("an answer").into_inner().verdict {
        Some(v1::validate_token_response::Verdict::Valid(claims)) => claims,
        other => panic!("{other:?}"),
    }
}

async fn a_service_account_gets_what_it_is_granted(backend: Backend) {
    let world = world(backend, 1).await;
    let gateway = world.gateway();
    let account = gateway
        .make_service_account("", &["settler"], &["refunds"])
        .await;
    let id = &account.service_account_id;
    let (secret, _) = gateway.new_secret(&account).await;
    assert!(secret.starts_with("css_") && secret.len() == 47, "{secret}");
    let mut shown = vec![("a secret", by_secret(&secret))];
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256] {
        let (key, _) = gateway.new_assertion_key(&account, algorithm).await;
        let assertion = key.assertion(id, "one of each key");
        shown.push((algorithm.as_str(), by_assertion(&assertion)));
        // Its id is used with whichever key.
        let other = key.assertion(id, &format!("for {algorithm}"));
        *shown.last_mut().expect("one") = (algorithm.as_str(), by_assertion(&other));
    }
    for (what, shown) in shown {
        let got = gateway.sign_in_service_account(&account, shown, &SCOPES);
        let got = got
            .await
            .unwrap_or_else(|error| panic!("{what}: {error:?}"));
        assert_eq!(got.scopes, ["refunds"], "{what}");
        assert_eq!(&got.service_account_id, id);
        let claims = claims(&gateway, &got.access_token).await;
        assert_eq!((&claims.subject, &claims.client_id), (id, id));
        assert!(claims.is_service_account);
        assert_eq!(claims.group_id, "default");
        assert_eq!(claims.roles, ["settler"]);
        assert_eq!(claims.scopes, ["refunds"]);
        assert!(claims.authentication_methods.is_empty() && claims.acr.is_empty());
        assert_eq!(claims.expire_time, got.access_token_expire_time);
    }
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    let person = claims(&gateway, &tokens.access_token).await;
    assert!(!person.is_service_account);

    // One answer for all that is wrong.
    gateway
        .make_group("staff", v1::GroupPolicy::default())
        .await
        .expect("a group");
    let unknown = v1::ServiceAccount {
        service_account_id: mina.user_id.clone(),
        ..account.clone()
    };
    let elsewhere = v1::ServiceAccount {
        group_id: "staff".into(),
        ..account.clone()
    };
    let wrong = by_secret("css_wrong");
    let mut told = Vec::new();
    for (what, of, shown) in [
        ("unknown", &unknown, by_secret(&secret)),
        ("another group", &elsewhere, by_secret(&secret)),
        ("wrong", &account, wrong.clone()),
        ("a token", &account, by_secret(&tokens.access_token[..200])),
        ("no assertion", &account, by_assertion(&secret)),
        (
            "a token for an assertion",
            &account,
            by_assertion(&tokens.access_token),
        ),
    ] {
        let refused = gateway.sign_in_service_account(of, shown, &[]).await;
        let refused = refused.expect_err(what);
        assert_eq!(refused.code(), Code::Unauthenticated, "{what}: {refused:?}");
        told.push((refused.message().to_owned(), refused.details().to_vec()));
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");

    // What cannot be right is told by its fields.
    let request = v1::IssueTokensRequest {
        grant: Some(v1::issue_tokens_request::Grant::ServiceAccount(
            v1::ServiceAccountGrant::default(),
        )),
        scopes: vec!["everything".into()],
        device_token: Some(String::new()),
        audience: "elsewhere".into(),
        ..Default::default()
    };
    let refused = gateway.issue_to_service_account(request).await;
    let mut fields = Details::of(&refused.expect_err("wrong")).fields;
    fields.sort();
    assert_eq!(
        fields,
        [
            "audience",
            "device_token",
            "scopes[0]",
            "service_account.credential",
            "service_account.service_account_id",
        ]
    );
    operators_are_told_what_is_wrong(&gateway, &account).await;
}

async fn operators_are_told_what_is_wrong(gateway: &Gateway, account: &v1::ServiceAccount) {
    let mut accounts = gateway.service_accounts();
    let bad = v1::CreateServiceAccountRequest {
        group_id: "Staff".into(),
        display_name: "a\nb".into(),
        description: "d".repeat(1_025),
        roles: vec!["a b".into()],
        scopes: vec![String::new()],
        audiences: vec!["elsewhere".into()],
    };
    let refused = accounts.create_service_account(bad).await;
    let mut fields = Details::of(&refused.expect_err("wrong")).fields;
    fields.sort();
    assert_eq!(
        fields,
        [
            "audiences[0]",
            "description",
            "display_name",
            "group_id",
            "roles[0]",
            "scopes[0]",
        ]
    );
    let nowhere = v1::CreateServiceAccountRequest {
        group_id: "nowhere".into(),
        ..Default::default()
    };
    let refused = accounts.create_service_account(nowhere).await;
    assert_eq!(reason(&refused), "GROUP_NOT_FOUND");
    let update = |paths: &[&str], etag: &str| v1::UpdateServiceAccountRequest {
        service_account: Some(v1::ServiceAccount {
            service_account_id: account.service_account_id.clone(),
            etag: etag.into(),
            ..Default::default()
        }),
        update_mask: Some(prost_types::FieldMask {
            paths: paths.iter().map(ToString::to_string).collect(),
        }),
    };
    for paths in [&[][..], &["state"], &["credentials"], &["*"]] {
        let refused = accounts.update_service_account(update(paths, "")).await;
        let fields = Details::of(&refused.expect_err("wrong")).fields;
        assert_eq!(fields, ["update_mask"], "{paths:?}");
    }
    let stale = accounts
        .update_service_account(update(&["roles"], "0-1"))
        .await;
    assert_eq!(reason(&stale), "ETAG_MISMATCH");
    use v1::add_service_account_key_request::Key;
    let private = "-----BEGIN PRIVATE KEY-----\nAA\n-----END PRIVATE KEY-----";
    for (field, key) in [
        ("key", None),
        ("jwk", Some(Key::Jwk("{}".into()))),
        ("jwk", Some(Key::Jwk(r#"{"kty":"oct","k":"AA"}"#.into()))),
        ("jwk", Some(Key::Jwk("x".repeat(10_000)))),
        ("pem", Some(Key::Pem(private.into()))),
        ("pem", Some(Key::Pem(String::new()))),
    ] {
        let request = v1::AddServiceAccountKeyRequest {
            service_account_id: account.service_account_id.clone(),
            key,
            expire_time: None,
        };
        let refused = accounts.add_service_account_key(request).await;
        let refused = refused.expect_err("wrong");
        assert_eq!(Details::of(&refused).fields, [field]);
        assert!(!refused.message().contains("AA"), "{refused:?}");
    }
    let past = v1::CreateServiceAccountSecretRequest {
        service_account_id: account.service_account_id.clone(),
        expire_time: Some(prost_types::Timestamp {
            seconds: 1,
            nanos: 0,
        }),
    };
    let refused = accounts.create_service_account_secret(past).await;
    let fields = Details::of(&refused.expect_err("over")).fields;
    assert_eq!(fields, ["expire_time"]);
}
