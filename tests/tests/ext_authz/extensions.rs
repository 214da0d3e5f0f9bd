//! What the proxy's configuration asks of a token, and what is wrong with it.

use countersign_tests::{
    Backend, Details, ProxiedRequest, World, on_a_backend, on_every_backend, reason,
};
use tonic::Code;

use crate::{INVALID_TOKEN, NO_TOKEN, decide, give, with_scopes};

on_every_backend!(a_token_must_be_good_for_what_is_asked);

async fn a_token_must_be_good_for_what_is_asked(backend: Backend) {
    let world = World::on(backend)
        .set("tokens.granted_scopes", vec!["refunds", "reports"])
        .set("tokens.audiences", vec!["countersign", "shop"])
        .start()
        .await;
    let gateway = world.gateway();
    let mina = world.sign_up().await;
    give(&mina, &[], &["refunds"]).await;
    let token = with_scopes(&mina, &["refunds"]).await;
    let old = mina.sign_in().await;
    let age = "UPDATE sessions SET authenticated_at = authenticated_at - 360000";
    world.execute(age).await;
    let old = mina.gateway.refresh(&old.refresh_token).await;
    let old = old.expect("refreshed").access_token;
    let challenge =
        |what: &str| format!("401 Bearer error=\"insufficient_user_authentication\"{what}");
    let ok = || "OK".to_owned();
    for (token, extensions, expected) in [
        (&token, &[("scopes", "refunds")][..], ok()),
        (
            &token,
            &[("scopes", "reports")],
            "403 Bearer error=\"insufficient_scope\", scope=\"reports\"".into(),
        ),
        (
            &token,
            &[("scopes", "refunds reports")],
            "403 Bearer error=\"insufficient_scope\", scope=\"refunds reports\"".into(),
        ),
        (&token, &[("audience", "countersign")], ok()),
        (&token, &[("audience", "shop")], INVALID_TOKEN.into()),
        (&token, &[("audience", "nowhere")], INVALID_TOKEN.into()),
        (&token, &[("max_age", "300")], ok()),
        (&old, &[("max_age", "300")], challenge(", max_age=\"300\"")),
        (&old, &[("max_age", "3600")], ok()),
        (&token, &[("acr_values", "aal1")], ok()),
        (&token, &[("acr_values", "aal2 aal1")], ok()),
        (
            &token,
            &[("acr_values", "aal2")],
            challenge(", acr_values=\"aal2\""),
        ),
        (
            &old,
            &[
                ("acr_values", "aal2"),
                ("max_age", "60"),
                ("scopes", "refunds"),
            ],
            "403 Bearer error=\"insufficient_scope\", scope=\"refunds\"".into(),
        ),
        (
            &old,
            &[("acr_values", "aal2"), ("max_age", "60")],
            challenge(", acr_values=\"aal2\", max_age=\"60\""),
        ),
        (
            &token,
            &[("anonymous", "allow"), ("audience", "countersign")],
            ok(),
        ),
    ] {
        let mut request = ProxiedRequest::with_token(token);
        for (key, value) in extensions {
            request = request.extension(key, value);
        }
        let decision = decide(&gateway, &request).await;
        assert_eq!(decision.in_a_line(), expected, "{extensions:?}");
    }
}

#[test]
fn anonymous_requests_pass_where_they_may_and_bad_tokens_do_not() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let gateway = world.gateway();
        let anonymous = || ProxiedRequest::new().extension("anonymous", "allow");
        for (request, expected) in [
            (anonymous(), "OK"),
            (anonymous().header("cookie", "theme=dark"), "OK"),
            (
                anonymous().header("authorization", "Bearer garbage"),
                INVALID_TOKEN,
            ),
            (anonymous().header("authorization", "Bearer"), INVALID_TOKEN),
            (anonymous().header("authorization", ""), INVALID_TOKEN),
            (anonymous().header("authorization", "Basic dTpw"), NO_TOKEN),
            (
                anonymous().header("cookie", "__Host-access=garbage"),
                INVALID_TOKEN,
            ),
            (
                anonymous().header("cookie", "__Host-access=a; __Host-access=b"),
                INVALID_TOKEN,
            ),
        ] {
            let decision = decide(&gateway, &request).await;
            assert_eq!(decision.in_a_line(), expected, "{request:?}");
            assert!(decision.set.is_empty());
        }
    });
}

#[test]
fn a_mistake_in_the_configuration_is_refused_by_name_and_lets_nobody_pass() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let gateway = world.gateway();
        let token = world.sign_up().await.sign_in().await.access_token;
        let long = "k".repeat(5_000);
        for (key, value) in [
            ("scope", "refunds"),
            ("Scopes", "refunds"),
            ("", ""),
            (&long, "x"),
            ("scopes", ""),
            ("scopes", "a  b"),
            ("audience", ""),
            ("max_age", "5m"),
            ("max_age", "0"),
            ("acr_values", "aal3"),
            ("anonymous", "true"),
        ] {
            for request in [ProxiedRequest::new(), ProxiedRequest::with_token(&token)] {
                let refused = gateway.check(&request.extension(key, value)).await;
                let status = refused.expect_err(key);
                assert_eq!(status.code(), Code::InvalidArgument, "{key}");
                let details = Details::of(&status);
                assert_eq!((&*details.reason, details.infos), ("FIELD_INVALID", 1));
                let [field] = &details.fields[..] else {
                    panic!("{key}: {details:?}");
                };
                let named = format!("attributes.context_extensions.{key}");
                let is_named = *field == named || (field.len() < 100 && named.len() > 100);
                assert!(is_named, "{field}");
            }
        }
        let contradiction = ProxiedRequest::new()
            .extension("anonymous", "allow")
            .extension("scopes", "refunds");
        let refused = gateway.check(&contradiction).await;
        assert_eq!(reason(&refused), "FIELD_INVALID");
        // All are named at once, and not very many.
        let mut many = ProxiedRequest::with_token(&token);
        for number in 0..500 {
            many = many.extension(&format!("unknown-{number}"), "x");
        }
        let status = gateway.check(&many).await.expect_err("500 mistakes");
        let named = Details::of(&status).fields.len();
        assert!((2..=21).contains(&named), "{named}");
    });
}
