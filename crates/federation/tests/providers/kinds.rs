//! Each kind of provider at its real addresses, from the browser to the person.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use countersign_domain::model::{
    Locale, ProviderEmail, ProviderKind, ProviderSubject, ResponseMode,
};
use countersign_domain::ports::{IdentityProviders, ProviderError};
use serde_json::{Value, json};

use crate::fake::{NOW, Place};
use crate::http_server::Answer;
use crate::world::{SECRET, VERIFIER, World, sha256};

fn parts(url: &str) -> (String, BTreeMap<String, String>) {
    let (address, query) = url.split_once('?').expect("it can be read");
    (
        address.to_owned(),
        serde_urlencoded::from_str(query).expect("it can be read"),
    )
}

fn email(address: &str, is_verified: bool) -> Option<ProviderEmail> {
    Some(ProviderEmail {
        address: address.into(),
        is_verified,
    })
}

fn subject(issuer: &str) -> ProviderSubject {
    ProviderSubject {
        issuer: issuer.into(),
        subject: "person-1".into(),
    }
}

#[tokio::test]
async fn any_issuer_by_discovery() {
    let world = World::of(ProviderKind::OpenIdConnect).await;
    let (address, query) = parts(&world.url("nonce-1").await.unwrap());
    assert_eq!(address, "https://id.example/authorize");
    let challenge = URL_SAFE_NO_PAD.encode(sha256(VERIFIER));
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "client"),
        ("redirect_uri", "https://shop.example/callback"),
        ("scope", "openid email profile"),
        ("state", "state-of-this"),
        ("nonce", "nonce-1"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("ui_locales", "ko"),
    ] {
        assert_eq!(query[name], value, "{name}");
    }
    world
        .fake
        .claims(|claims| claims["locale"] = json!("ko-KR"));
    let user = world.sign_in().await.unwrap();
    assert_eq!(user.subject, subject("https://id.example"));
    assert_eq!(user.email, email("kim@x.example", true));
    assert_eq!(
        (user.name.as_deref(), user.locale),
        (Some("Kim"), Some(Locale::Korean))
    );
    assert_eq!(user.refresh_token, None);
    let asked = world.fake.last_asked(Place::Token);
    let basic = format!("Basic {}", STANDARD.encode(format!("client:{SECRET}")));
    assert_eq!(
        (asked.method.as_str(), &asked.headers["authorization"]),
        ("POST", &basic)
    );
    assert_eq!(asked.form["code_verifier"], VERIFIER);
    assert_eq!(asked.form["redirect_uri"], "https://shop.example/callback");
    assert!(!asked.form.contains_key("client_secret"));
}

#[tokio::test]
async fn google() {
    let world = World::of(ProviderKind::Google).await;
    let (address, query) = parts(&world.url("nonce-1").await.unwrap());
    assert_eq!(address, "https://accounts.google.com/o/oauth2/v2/auth");
    assert_eq!(query["scope"], "openid email profile");
    for (told, is_verified) in [
        (json!({"email": "kim@gmail.com"}), true),
        (
            json!({"email": "kim@corp.example", "hd": "corp.example"}),
            true,
        ),
        (json!({"email": "kim@corp.example"}), false),
    ] {
        let address = told["email"].as_str().unwrap().to_owned();
        world.fake.claims(move |claims| {
            for (name, value) in told.as_object().unwrap() {
                claims[name] = value.clone();
            }
        });
        let user = world.sign_in().await.unwrap();
        assert_eq!(user.subject, subject("https://accounts.google.com"));
        assert_eq!(user.email, email(&address, is_verified));
    }
    assert_eq!(
        world.fake.last_asked(Place::Token).host,
        "oauth2.googleapis.com"
    );
    // Google's tokens may name it without https; its people keep their one name.
    world
        .fake
        .claims(|claims| claims["iss"] = json!("accounts.google.com"));
    let user = world.sign_in().await.unwrap();
    assert_eq!(user.subject.issuer, "https://accounts.google.com");
    world
        .fake
        .claims(|claims| claims["iss"] = json!("https://accounts.google.com/"));
    world.rejected("another issuer").await;
}

#[tokio::test]
async fn apple() {
    let world = World::of(ProviderKind::Apple).await;
    let provider = &world.federation.providers()[0];
    assert_eq!(provider.response_mode, ResponseMode::FormPost);
    let (address, query) = parts(&world.url("nonce-1").await.unwrap());
    assert_eq!(address, "https://appleid.apple.com/auth/authorize");
    assert_eq!(query["response_mode"], "form_post");
    assert_eq!(query["scope"], "openid email name");
    world.fake.claims(|claims| {
        claims["email_verified"] = json!("true");
        claims["is_private_email"] = json!("true");
        claims.as_object_mut().unwrap().remove("name");
    });
    let name = r#"{"name":{"firstName":"길동","lastName":"홍"},"email":"evil@x.example"}"#;
    let user = world
        .sign_in_with(|response| response.user = Some(name.into()))
        .await
        .unwrap();
    assert_eq!(user.subject, subject("https://appleid.apple.com"));
    assert_eq!(user.email, email("kim@x.example", true));
    assert_eq!(user.name.as_deref(), Some("홍길동"));
    assert_eq!(user.refresh_token.as_ref().unwrap().expose(), "refresh");
    assert!(!format!("{user:?}").contains("\"refresh\""));
    check_client_secret(&world.fake.last_asked(Place::Token).form["client_secret"]);
    assert_eq!(world.fake.count(Place::Discovery), 0);
    world
        .fake
        .claims(|claims| claims["iss"] = json!("https://account.apple.com"));
    world.rejected("another issuer").await;
}

fn check_client_secret(secret: &str) {
    let mut segments = secret.split('.');
    let mut decoded = || -> Value {
        let bytes = URL_SAFE_NO_PAD
            .decode(segments.next().expect("it can be read"))
            .expect("it can be read");
        serde_json::from_slice(&bytes).expect("it can be read")
    };
    assert_eq!(
        decoded(),
        json!({"alg": "ES256", "kid": "KEY", "typ": "JWT"})
    );
    let expected = json!({"iss": "TEAM", "sub": "client", "aud": "https://appleid.apple.com",
        "iat": NOW, "exp": NOW + 300});
    assert_eq!(decoded(), expected);
    let (input, signature) = secret.rsplit_once('.').expect("it can be read");
    let jwk = crate::signer::EC.jwk("x");
    let (x, y) = (
        jwk["x"].as_str().expect("it can be read"),
        jwk["y"].as_str().expect("it can be read"),
    );
    let key = jsonwebtoken::DecodingKey::from_ec_components(x, y).expect("it can be read");
    let provider = &jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
    let verifier =
        (provider.verifier_factory)(&jsonwebtoken::Algorithm::ES256, &key).expect("it can be read");
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("it can be read");
    assert!(verifier.verify(input.as_bytes(), &signature).is_ok());
}

#[tokio::test]
async fn apples_consent_is_taken_back_with_the_refresh_token() {
    let world = World::of(ProviderKind::Apple).await;
    world
        .federation
        .revoke(&world.id, "refresh-1")
        .await
        .unwrap();
    world
        .federation
        .revoke(&world.id, "refresh-1")
        .await
        .unwrap();
    let asked = world.fake.last_asked(Place::Revocation);
    assert_eq!(
        (asked.method.as_str(), asked.host.as_str()),
        ("POST", "appleid.apple.com")
    );
    assert_eq!(asked.form["token"], "refresh-1");
    assert_eq!(asked.form["token_type_hint"], "refresh_token");
    assert_eq!(asked.form["client_id"], "client");
    check_client_secret(&asked.form["client_secret"]);
    let refused = r#"{"error":"invalid_client","error_description":"refresh-1"}"#;
    world
        .fake
        .instead(Place::Revocation, Answer::Json(400, refused.into()));
    let error = world
        .federation
        .revoke(&world.id, "refresh-1")
        .await
        .unwrap_err();
    assert_eq!(
        error,
        ProviderError::Misconfigured("answered invalid_client: …".into())
    );
    world
        .fake
        .instead(Place::Revocation, Answer::Json(503, String::new()));
    let error = world
        .federation
        .revoke(&world.id, "refresh-1")
        .await
        .unwrap_err();
    assert!(matches!(error, ProviderError::Unavailable(_)), "{error}");
    let other = World::of(ProviderKind::Google).await;
    let error = other
        .federation
        .revoke(&other.id, "refresh-1")
        .await
        .unwrap_err();
    assert!(matches!(error, ProviderError::Rejected(_)), "{error}");
}

#[tokio::test]
async fn kakao() {
    let world = World::of(ProviderKind::Kakao).await;
    let (address, query) = parts(&world.url("nonce-1").await.unwrap());
    assert_eq!(address, "https://kauth.kakao.com/oauth/authorize");
    assert_eq!(query["scope"], "openid account_email profile_nickname");
    assert_eq!(query["code_challenge_method"], "S256");
    world.fake.claims(|claims| {
        let claims = claims.as_object_mut().unwrap();
        claims.remove("email_verified");
        claims.remove("name");
        claims.insert("nickname".into(), json!("춘식"));
    });
    let user = world.sign_in().await.unwrap();
    assert_eq!(user.subject, subject("https://kauth.kakao.com"));
    assert_eq!(
        user.email,
        email("kim@x.example", true),
        "it is told only if it is verified"
    );
    assert_eq!(user.name.as_deref(), Some("춘식"));
    let asked = world.fake.last_asked(Place::Token);
    assert_eq!(asked.form["client_secret"], SECRET);
    assert!(!asked.headers.contains_key("authorization"));
    // Without an address in the token, userinfo says whether it is verified.
    world.fake.claims(|claims| {
        claims.as_object_mut().unwrap().remove("email");
    });
    for (word, is_verified) in [
        (json!(true), true),
        (json!(false), false),
        (json!("true"), false),
    ] {
        world.fake.state().userinfo["email_verified"] = word;
        let user = world.sign_in().await.unwrap();
        assert_eq!(user.email, email("told@x.example", is_verified));
    }
    assert_eq!(
        world.fake.last_asked(Place::Userinfo).host,
        "kapi.kakao.com"
    );
}

#[tokio::test]
async fn naver() {
    let world = World::of(ProviderKind::Naver).await;
    let (address, query) = parts(&world.url("nonce-1").await.unwrap());
    assert_eq!(address, "https://nid.naver.com/oauth2.0/authorize");
    assert_eq!(query["state"], "state-of-this");
    assert!(!query.contains_key("code_challenge") && !query.contains_key("nonce"));
    world.fake.state().tokens = |tokens| {
        *tokens = json!({"access_token": "access", "token_type": "bearer", "expires_in": "3600",
            "refresh_token": "refresh"});
    };
    world.fake.state().userinfo = json!({"resultcode": "00", "message": "success", "response": {
        "id": "person-1", "email": "kim@naver.com", "name": "김", "email_verified": true}});
    let user = world.sign_in().await.unwrap();
    assert_eq!(user.subject, subject("https://nid.naver.com"));
    assert_eq!(user.email, email("kim@naver.com", false));
    assert_eq!(
        (user.name.as_deref(), user.refresh_token),
        (Some("김"), None)
    );
    let asked = world.fake.last_asked(Place::Token);
    assert_eq!(asked.path, "/oauth2.0/token");
    assert_eq!(asked.form["state"], "state-of-this");
    assert_eq!(asked.form["client_secret"], SECRET);
    let asked = world.fake.last_asked(Place::Userinfo);
    assert_eq!(
        (asked.host.as_str(), asked.path.as_str()),
        ("openapi.naver.com", "/v1/nid/me")
    );
    assert_eq!(asked.headers["authorization"], "Bearer access");
    // Naver refuses with 200.
    let refused = r#"{"error":"invalid_request","error_description":"no valid data in session"}"#;
    world
        .fake
        .instead(Place::Token, Answer::Json(200, refused.into()));
    world
        .rejected("answered invalid_request: no valid data in session")
        .await;
    world.fake.state().instead.clear();
    world.fake.state().userinfo = json!({"resultcode": "024", "message": "no"});
    world.rejected("resultcode").await;
}

#[tokio::test]
async fn the_issuers_of_google_and_kakao_are_pinned() {
    for (kind, issuer, others) in [
        (
            ProviderKind::Google,
            "https://accounts.google.com",
            ["https://accounts.google.com/", "accounts.google.com"],
        ),
        (
            ProviderKind::Kakao,
            "https://kauth.kakao.com",
            ["https://kauth.kakao.com/", "https://id.example"],
        ),
    ] {
        let world = World::of(kind).await;
        world.honest().await;
        for other in others {
            let world = World::of(kind).await;
            let document = json!({"issuer": other,
                "authorization_endpoint": "https://id.example/authorize",
                "token_endpoint": "https://id.example/token",
                "jwks_uri": "https://id.example/jwks"});
            world
                .fake
                .instead(Place::Discovery, Answer::Json(200, document.to_string()));
            world
                .rejected(&format!("its issuer is not exactly {issuer}"))
                .await;
        }
    }
}
