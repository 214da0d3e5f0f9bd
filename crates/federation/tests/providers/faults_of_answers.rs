//! Answers that are odd, or somebody else's: faults 33 to 36, 38, 39, and what of 40 is said here.

use countersign_domain::model::{ProviderKind, ProviderSecret};
use countersign_domain::ports::{IdentityProviders, ProviderError};
use serde_json::json;

use crate::fake::Place;
use crate::http_server::Answer;
use crate::world::{SECRET, VERIFIER, World, config, response};

#[tokio::test]
async fn fault_33_a_token_type_in_any_case_is_good() {
    let world = World::new().await;
    world.honest().await;
    world.fake.state().tokens = |tokens| tokens["token_type"] = json!("bEARER");
    world.honest().await;
    world.fake.state().tokens = |tokens| tokens["token_type"] = json!("DPoP");
    world.rejected("token_type").await;
}

#[tokio::test]
async fn fault_34_numbers_that_nobody_needs_do_no_harm() {
    let world = World::new().await;
    world.honest().await;
    for number in [
        "-1",
        "1e400",
        "-1e400",
        "99999999999999999999999999",
        "0.1",
        "\"3600\"",
        "null",
    ] {
        let token = world.fake.state().last.clone();
        let body = format!(
            r#"{{"access_token":"a","token_type":"Bearer","expires_in":{number},"id_token":"{token}"}}"#
        );
        world.fake.instead(Place::Token, Answer::Json(200, body));
        world.honest().await;
    }
    world.fake.state().instead.clear();
    for number in ["1e400", "-1", "1e19", "NaN", "\"soon\""] {
        world.fake.state().id_token = Some(Box::new(move |header, claims| {
            let claims = claims.replace("\"exp\":1790003600", &format!("\"exp\":{number}"));
            assert!(claims.contains(number));
            crate::signer::token(&crate::signer::RSA, header, &claims)
        }));
        world.rejected("").await;
    }
}

#[tokio::test]
async fn fault_35_verified_is_a_boolean() {
    let world = World::new().await;
    let user = world.sign_in().await.unwrap();
    assert!(user.email.unwrap().is_verified, "the honest run");
    for word in [
        json!("true"),
        json!("false"),
        json!(1),
        json!(false),
        json!(null),
        json!([true]),
    ] {
        world
            .fake
            .claims(move |claims| claims["email_verified"] = word.clone());
        let user = world.sign_in().await.unwrap();
        assert!(!user.email.unwrap().is_verified);
    }
}

#[tokio::test]
async fn fault_35_an_address_counts_only_where_the_operator_believes_the_issuer() {
    let mut config = config(ProviderKind::OpenIdConnect);
    config.trust_email = false;
    let world = World::with(config).await;
    let user = world.sign_in().await.unwrap();
    assert!(!user.email.unwrap().is_verified);
}

#[tokio::test]
async fn fault_36_userinfo_of_somebody_else() {
    let world = World::new().await;
    world.honest().await;
    assert_eq!(
        world.fake.count(Place::Userinfo),
        0,
        "the ID token has the address"
    );
    world.fake.claims(|claims| {
        claims.as_object_mut().unwrap().remove("email");
    });
    let user = world.sign_in().await.unwrap();
    assert_eq!(user.email.unwrap().address, "told@x.example");
    let asked = world.fake.last_asked(Place::Userinfo);
    assert_eq!(asked.headers["authorization"], "Bearer access");
    for subject in [json!("person-2"), json!("person-1 "), json!(null), json!(1)] {
        world.fake.state().userinfo["sub"] = subject;
        world.rejected("the userinfo answer").await;
    }
}

#[tokio::test]
async fn fault_38_a_code_is_good_once_and_only_for_whom_it_was_made() {
    let world = World::new().await;
    let url = world.url("nonce-1").await.unwrap();
    let code = world.fake.sign_in(&url);
    // The honest run, then the same code again.
    let first = world.federation.exchange(&world.id, &response(&code)).await;
    assert!(first.is_ok());
    let again = world.federation.exchange(&world.id, &response(&code)).await;
    let error = again.expect_err("a code is good once");
    assert!(matches!(error, ProviderError::Rejected(_)), "{error}");
    // A code of another browser: its challenge is another one.
    let stolen = world.fake.sign_in(&url);
    let mut injected = response(&stolen);
    injected.code_verifier = ProviderSecret::new(VERIFIER.replace('a', "b"));
    let error = world
        .federation
        .exchange(&world.id, &injected)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("invalid_grant"), "{error}");
    // And where the provider does not look, its nonce is.
    let stolen = world
        .fake
        .sign_in(&world.url("nonce-of-another").await.unwrap());
    let error = world
        .federation
        .exchange(&world.id, &response(&stolen))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("nonce"), "{error}");
}

#[tokio::test]
async fn fault_39_an_answer_of_another_issuer() {
    let mut world = World::new().await;
    world.honest().await;
    let own = world.sign_in_with(|response| response.issuer = Some("https://id.example".into()));
    own.await.expect("its own name is good");
    for issuer in [
        "https://evil.example",
        "https://id.example/",
        "https://ID.example",
        "",
    ] {
        let asked = world.fake.count(Place::Token);
        let other = world.sign_in_with(|response| response.issuer = Some(issuer.into()));
        let error = other.await.expect_err("it is another issuer");
        assert!(error.to_string().contains("of another issuer"), "{error}");
        assert_eq!(
            world.fake.count(Place::Token),
            asked,
            "the code is not shown to anybody"
        );
    }
    // Who says that it names itself has to.
    world.fake.state().discovery = |document| {
        document["authorization_response_iss_parameter_supported"] = json!(true);
    };
    world.restart(config(ProviderKind::OpenIdConnect));
    world.rejected("names no issuer").await;
    let own = world.sign_in_with(|response| response.issuer = Some("https://id.example".into()));
    own.await.expect("its own name is good");
}

#[tokio::test]
async fn fault_40_hostile_words_are_cleaned_and_show_no_secret() {
    let world = World::new().await;
    world.honest().await;
    let description = format!(
        "<script>\u{1b}[31m\r\nSet-Cookie: a=b {SECRET} {VERIFIER} \u{202e}{}",
        "x".repeat(100_000)
    );
    let body = json!({"error": "invalid_grant", "error_description": description});
    world
        .fake
        .instead(Place::Token, Answer::Json(400, body.to_string()));
    let error = world.sign_in().await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("answered invalid_grant: <script>"),
        "{text}"
    );
    assert!(
        text.chars().count() < 260 && !text.chars().any(char::is_control),
        "{text}"
    );
    assert!(!text.contains(SECRET) && !text.contains(VERIFIER) && !text.contains('\u{202e}'));
    // An error beside tokens is an error.
    world.fake.state().instead.clear();
    world.fake.state().tokens = |tokens| tokens["error"] = json!("access_denied");
    world.rejected("access_denied").await;
}
