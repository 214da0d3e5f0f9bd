//! What of client assertions is accepted, and what is not.

use serde_json::{Value, json};

use super::*;
use crate::{Algorithm, SigningKey, base64url};

const NOW: i64 = 1_790_000_000;
const CLIENT: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
const ISSUER: &str = "https://id.example";
const EXPECTED: ExpectedAssertion<'_> = ExpectedAssertion {
    client: CLIENT,
    audience: ISSUER,
    longest: Duration::from_secs(300),
    leeway: Duration::from_secs(5),
};

fn key(algorithm: Algorithm) -> SigningKey {
    SigningKey::generate(algorithm).expect("a key")
}

fn claims() -> Value {
    json!({
        "iss": CLIENT,
        "sub": CLIENT,
        "aud": ISSUER,
        "exp": NOW + 60,
        "iat": NOW,
        "jti": "one",
    })
}

/// The claims with one of them changed; none, if it is null.
fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    let members = claims.as_object_mut().expect("an object");
    match value {
        Value::Null => members.remove(name),
        value => members.insert(name.into(), value),
    };
    claims
}

fn signed(key: &SigningKey, header: &Value, claims: &Value) -> String {
    let header = base64url::encode(header.to_string());
    let signed = key.sign_payload(&header, claims.to_string().as_bytes());
    signed.expect("signed")
}

fn header(key: &SigningKey) -> Value {
    json!({"alg": key.algorithm(), "typ": "JWT", "kid": key.kid()})
}

fn verify(assertion: &str, keys: &[&SigningKey]) -> Result<ClientAssertion, Rejection> {
    let keys: Vec<_> = keys.iter().map(|key| key.verifying_key().clone()).collect();
    ClientAssertion::verify(assertion, &keys, EXPECTED, NOW)
}

#[test]
fn an_assertion_of_each_algorithm_is_accepted() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256] {
        let (own, other) = (key(algorithm), key(algorithm));
        let assertion = signed(&own, &header(&own), &claims());
        let read = verify(&assertion, &[&other, &own]).expect("good");
        assert_eq!((read.kid.as_str(), read.jti.as_str()), (own.kid(), "one"));
        assert_eq!(read.exp, NOW + 60);
        assert_eq!(verify(&assertion, &[&other]), Err(Rejection::UnknownKey));
        assert_eq!(verify(&assertion, &[]), Err(Rejection::UnknownKey));
    }
}

#[test]
fn without_a_kid_the_key_is_found_by_its_signature() {
    let (own, other) = (key(Algorithm::EdDsa), key(Algorithm::EdDsa));
    let foreign = key(Algorithm::EdDsa);
    let header = json!({"alg": "EdDSA"});
    let read = verify(&signed(&own, &header, &claims()), &[&other, &own]);
    assert_eq!(read.expect("good").kid, own.kid());
    let read = verify(&signed(&foreign, &header, &claims()), &[&other, &own]);
    assert_eq!(read, Err(Rejection::BadSignature));
}

#[test]
fn types_of_assertions_are_accepted_and_those_of_other_tokens_are_not() {
    let own = key(Algorithm::EdDsa);
    let verdict = |typ: Value| {
        let header = json!({"alg": "EdDSA", "typ": typ, "kid": own.kid()});
        verify(&signed(&own, &header, &claims()), &[&own]).err()
    };
    for typ in ["JWT", "jwt", "client-authentication+jwt", "application/jwt"] {
        assert_eq!(verdict(typ.into()), None, "{typ}");
    }
    for typ in ["at+jwt", "logout+jwt", "JOSE", ""] {
        assert_eq!(verdict(typ.into()), Some(Rejection::WrongType), "{typ}");
    }
    assert_eq!(verdict(json!(1)), Some(Rejection::UnsupportedHeader));
}

#[test]
fn an_assertion_does_not_choose_its_algorithm() {
    let own = key(Algorithm::Rs256);
    let jwk = own.verifying_key().to_jwk().expect("public").to_string();
    let hmac = SigningKey::from_secret(Algorithm::Hs256, jwk.as_bytes()).expect("a secret");
    let confused = json!({"alg": "HS256", "kid": own.kid()});
    let assertion = signed(&hmac, &confused, &claims());
    assert_eq!(verify(&assertion, &[&own]), Err(Rejection::WrongAlgorithm));
    for alg in ["none", "None", "RS512", "PS256", "EdDSA", ""] {
        let header = json!({"alg": alg, "kid": own.kid()});
        let assertion = signed(&own, &header, &claims());
        assert_eq!(
            verify(&assertion, &[&own]),
            Err(Rejection::WrongAlgorithm),
            "{alg}"
        );
    }
}

#[test]
fn what_is_not_understood_in_a_header_is_not_passed_over() {
    let own = key(Algorithm::EdDsa);
    for (name, value) in [
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
        ("jwk", json!({})),
        ("jku", json!("https://evil.example")),
        ("x5c", json!([])),
    ] {
        let mut header = header(&own);
        header[name] = value;
        let assertion = signed(&own, &header, &claims());
        let read = verify(&assertion, &[&own]);
        assert_eq!(read, Err(Rejection::UnsupportedHeader), "{name}");
    }
}

#[test]
fn claims_that_are_missing_or_of_others_are_refused() {
    let own = key(Algorithm::EdDsa);
    let long = "j".repeat(ClientAssertion::MAX_JTI_BYTES + 1);
    let cases = [
        ("iss", json!("another"), Rejection::WrongIssuer),
        ("iss", Value::Null, Rejection::InvalidClaims),
        ("sub", json!("another"), Rejection::WrongIssuer),
        ("sub", Value::Null, Rejection::InvalidClaims),
        (
            "aud",
            json!("https://other.example"),
            Rejection::WrongAudience,
        ),
        (
            "aud",
            json!("https://id.example/"),
            Rejection::WrongAudience,
        ),
        (
            "aud",
            json!([ISSUER, "https://other.example"]),
            Rejection::WrongAudience,
        ),
        ("aud", json!([]), Rejection::WrongAudience),
        ("aud", Value::Null, Rejection::InvalidClaims),
        ("jti", Value::Null, Rejection::InvalidClaims),
        ("jti", json!(""), Rejection::InvalidClaims),
        ("jti", json!(7), Rejection::InvalidClaims),
        ("jti", json!(long), Rejection::InvalidClaims),
        ("exp", Value::Null, Rejection::InvalidClaims),
        ("exp", json!("soon"), Rejection::InvalidClaims),
        ("exp", json!(-1), Rejection::InvalidClaims),
    ];
    for (name, value, rejection) in cases {
        let assertion = signed(&own, &header(&own), &with(name, value.clone()));
        assert_eq!(
            verify(&assertion, &[&own]),
            Err(rejection),
            "{name}: {value}"
        );
    }
    let one = signed(&own, &header(&own), &with("aud", json!([ISSUER])));
    assert!(verify(&one, &[&own]).is_ok());
}

#[test]
fn times_are_judged_with_the_leeway_and_no_life_is_too_long() {
    let own = key(Algorithm::EdDsa);
    let cases = [
        ("exp", NOW - 4, None),
        ("exp", NOW - 5, Some(Rejection::Expired)),
        ("exp", NOW + 305, None),
        ("exp", NOW + 306, Some(Rejection::InvalidClaims)),
        ("iat", NOW + 5, None),
        ("iat", NOW + 6, Some(Rejection::NotYetValid)),
        ("iat", NOW + 60, Some(Rejection::InvalidClaims)),
        ("nbf", NOW + 5, None),
        ("nbf", NOW + 6, Some(Rejection::NotYetValid)),
        ("nbf", -1, Some(Rejection::InvalidClaims)),
    ];
    for (name, at, rejection) in cases {
        let mut claims = with(name, json!(at));
        if name == "exp" {
            claims["iat"] = json!(NOW - 100);
        }
        let assertion = signed(&own, &header(&own), &claims);
        assert_eq!(verify(&assertion, &[&own]).err(), rejection, "{name} {at}");
    }
    let unsaid = signed(&own, &header(&own), &with("iat", Value::Null));
    assert!(verify(&unsaid, &[&own]).is_ok());
}

#[test]
fn what_is_no_assertion_at_all_is_refused() {
    let own = key(Algorithm::EdDsa);
    let good = signed(&own, &header(&own), &claims());
    let unsigned = good.rsplit_once('.').expect("three segments").0;
    let large = "a".repeat(MAX_TOKEN_BYTES + 1);
    for (text, rejection) in [
        ("", Rejection::Malformed),
        ("a.b.c", Rejection::Malformed),
        (unsigned, Rejection::Malformed),
        (large.as_str(), Rejection::TooLarge),
    ] {
        assert_eq!(verify(text, &[&own]), Err(rejection));
    }
    let at = unsigned.len() + 1;
    let other = if good[at..].starts_with('A') {
        "B"
    } else {
        "A"
    };
    let changed = format!("{}{other}{}", &good[..at], &good[at + 1..]);
    assert_eq!(verify(&changed, &[&own]), Err(Rejection::BadSignature));
    let repeated = format!(r#"{{"jti":"a",{}"#, &claims().to_string()[1..]);
    let segment = base64url::encode(header(&own).to_string());
    let repeated = own.sign_payload(&segment, repeated.as_bytes());
    let repeated = verify(&repeated.expect("signed"), &[&own]);
    assert_eq!(repeated, Err(Rejection::InvalidClaims));
}
