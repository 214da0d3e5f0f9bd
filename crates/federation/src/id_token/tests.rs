//! Each claim that is wrong, beside one that is right.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_domain::ports::ProviderError;
use serde_json::{Value, json};

use super::*;

const NOW: i64 = 1_790_000_000;

fn good() -> Value {
    json!({"iss": "https://id.example", "aud": "client", "sub": "1", "nonce": "n",
        "iat": NOW, "exp": NOW + 300})
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = good();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = good();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn token(header: &str, claims: &Value) -> Jws {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let text = format!("{}.{}.AAAA", encode(header), encode(&claims.to_string()));
    Jws::read(&text).ok().unwrap()
}

fn judged(
    header: &str,
    claims: &Value,
    audience: Audience<'_>,
    nonce: Nonce<'_>,
) -> Result<String, String> {
    let expected = Expected {
        issuers: &["https://id.example".to_owned()],
        audience,
        nonce,
        now: NOW,
    };
    let checked = check(&token(header, claims), &expected);
    checked.map_err(|failure| ProviderError::from(failure).to_string())
}

fn web(claims: &Value) -> Result<String, String> {
    let apps = ["app".to_owned()];
    let audience = Audience::Client {
        id: "client",
        apps: &apps,
    };
    judged(r#"{"alg":"RS256"}"#, claims, audience, Nonce::Exactly("n"))
}

fn app(claims: &Value, nonce: Option<&str>) -> Result<String, String> {
    let apps = ["app".to_owned(), "other".to_owned()];
    let audience = Audience::App {
        apps: &apps,
        client: "client",
    };
    judged(
        r#"{"alg":"RS256","typ":"JWT"}"#,
        claims,
        audience,
        Nonce::OfApp(nonce),
    )
}

#[test]
fn a_token_for_this_client_is_good() {
    for claims in [
        good(),
        with("azp", json!("client")),
        with("aud", json!(["client"])),
        with("exp", json!(NOW - 59)),
        with("exp", json!(1_790_000_300.5)),
        with("iat", json!(NOW + 300)),
        with("nbf", json!(NOW + 60)),
        with("sub", json!("a".repeat(255))),
    ] {
        assert!(web(&claims).is_ok(), "{claims}");
    }
    let mut both = with("aud", json!(["client", "app"]));
    assert_eq!(web(&both).unwrap_err(), "the ID token: it has no azp");
    both["azp"] = json!("client");
    assert!(web(&both).is_ok());
}

#[test]
fn one_wrong_claim_is_enough() {
    for claims in [
        with("iss", json!("https://id.example/")),
        with("iss", json!("https://ID.example")),
        with("iss", json!(["https://id.example"])),
        without("iss"),
        with("aud", json!("other")),
        with("aud", json!("app")),
        with("aud", json!([])),
        with("aud", json!(["client", "stranger"])),
        with("aud", json!(["client", 1])),
        without("aud"),
        with("azp", json!("app")),
        with("azp", json!(1)),
        with("exp", json!(NOW - 60)),
        with("exp", json!("2090-01-01")),
        with("exp", json!(1e19)),
        with("exp", json!(-1)),
        without("exp"),
        with("iat", json!(NOW + 301)),
        without("iat"),
        with("nbf", json!(NOW + 61)),
        with("nonce", json!("N")),
        with("nonce", json!(sha256("n"))),
        without("nonce"),
        with("sub", json!("")),
        with("sub", json!("a".repeat(256))),
        with("sub", json!("a\u{0}")),
        with("sub", json!(1)),
        without("sub"),
        with("events", json!({})),
    ] {
        assert!(web(&claims).is_err(), "{claims}");
    }
}

#[test]
fn other_kinds_of_tokens_are_none() {
    let apps = [];
    for (typ, is_good) in [
        ("JWT", true),
        ("jwt", true),
        ("application/jwt", true),
        ("secevent+jwt", false),
        ("logout+jwt", false),
        ("at+jwt", false),
        ("", false),
    ] {
        let header = format!(r#"{{"alg":"RS256","typ":"{typ}"}}"#);
        let audience = Audience::Client {
            id: "client",
            apps: &apps,
        };
        let judged = judged(&header, &good(), audience, Nonce::Exactly("n"));
        assert_eq!(judged.is_ok(), is_good, "{typ}");
    }
}

#[test]
fn an_apps_token_is_for_an_app_alone() {
    let mut claims = with("aud", json!("app"));
    assert!(app(&claims, Some("n")).is_ok());
    for party in ["client", "other", "app"] {
        claims["azp"] = json!(party);
        assert!(app(&claims, Some("n")).is_ok(), "{party}");
    }
    claims["azp"] = json!("stranger");
    assert!(app(&claims, Some("n")).is_err());
    for audience in [json!("client"), json!("stranger"), json!(["app", "other"])] {
        assert!(app(&with("aud", audience), Some("n")).is_err());
    }
}

#[test]
fn an_apps_nonce_is_on_both_sides_or_on_none() {
    let mut claims = with("aud", json!("app"));
    assert!(app(&claims, Some("n")).is_ok());
    assert!(app(&claims, None).is_err(), "only in the token");
    claims["nonce"] = json!(sha256("n"));
    assert!(app(&claims, Some("n")).is_ok());
    claims["nonce"] = json!(sha256("n").to_uppercase());
    assert!(app(&claims, Some("n")).is_err());
    claims["nonce"] = json!("");
    assert!(app(&claims, Some("")).is_err());
    claims.as_object_mut().unwrap().remove("nonce");
    assert!(app(&claims, None).is_ok());
    assert!(app(&claims, Some("n")).is_err(), "only of the app");
}
