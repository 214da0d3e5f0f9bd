//! Well-signed tokens that say what no access token says.

use countersign_token::{Algorithm, Rejection, SigningKey};
use serde_json::{Map, Value};

use super::support::{ISSUER, KEYS, forge, header, payload, verify};

fn members() -> Map<String, Value> {
    serde_json::from_str(&payload()).expect("an object")
}

/// A token of the first key whose claims are those of `payload()` after an edit.
fn claims_edited(from: &str, to: &str) -> Result<(), Rejection> {
    let payload = payload();
    assert!(payload.contains(from), "{from} is not in {payload}");
    verify(&forge(
        &KEYS[0],
        header(&KEYS[0]),
        payload.replace(from, to),
    ))
    .map(drop)
}

#[test]
fn repeated_claims_are_refused() {
    let claims = members();
    assert_eq!(claims.len(), 14);
    for (name, value) in &claims {
        for repeated in [format!(r#""{name}":{value}"#), format!(r#""{name}":null"#)] {
            for (from, to) in [
                ("{", format!("{{{repeated},")),
                ("}", format!(",{repeated}}}")),
            ] {
                assert_eq!(
                    claims_edited(from, &to),
                    Err(Rejection::InvalidClaims),
                    "{repeated}"
                );
            }
        }
    }
    assert_eq!(
        claims_edited("{", r#"{"s\u0075b":"mallory","#),
        Err(Rejection::InvalidClaims)
    );
    assert_eq!(
        claims_edited("{", r#"{"x":1,"x":1,"#),
        Err(Rejection::InvalidClaims)
    );
    assert_eq!(claims_edited("{", r#"{"x":1,"#), Ok(()));
}

#[test]
fn every_required_claim_is_required() {
    let claims = members();
    for name in claims.keys() {
        let mut without = claims.clone();
        without.remove(name);
        let payload = serde_json::to_string(&without).expect("JSON");
        let result = verify(&forge(&KEYS[0], header(&KEYS[0]), payload)).map(drop);
        if ["scope", "roles", "amr", "acr"].contains(&name.as_str()) {
            assert_eq!(result, Ok(()), "{name}");
        } else {
            assert_eq!(result, Err(Rejection::InvalidClaims), "{name}");
        }
    }
}

#[test]
fn claims_of_another_type_are_invalid() {
    let claims = members();
    let with = |name: &str, value: &str| {
        let mut text = payload();
        if let Some(old) = claims.get(name) {
            text = text.replace(
                &format!(r#""{name}":{old}"#),
                &format!(r#""{name}":{value}"#),
            );
        } else {
            text = text.replace('}', &format!(r#","{name}":{value}}}"#));
        }
        assert!(text.contains(value));
        verify(&forge(&KEYS[0], header(&KEYS[0]), text)).map(drop)
    };
    for name in ["iss", "sub", "jti", "client_id", "sid", "grp"] {
        for value in [
            "\"\"",
            "null",
            "1",
            "true",
            "{}",
            "[]",
            "[\"https://id.example\"]",
        ] {
            assert_eq!(
                with(name, value),
                Err(Rejection::InvalidClaims),
                "{name}: {value}"
            );
        }
    }
    for value in [
        "\"\"",
        "null",
        "5",
        "true",
        "{}",
        "[]",
        "[\"\"]",
        "[1]",
        "[null]",
        "[[\"api\"]]",
        "[\"api\",1]",
        "{\"0\":\"api\"}",
    ] {
        assert_eq!(
            with("aud", value),
            Err(Rejection::InvalidClaims),
            "aud: {value}"
        );
    }
    for name in ["exp", "iat", "nbf", "auth_time"] {
        for value in [
            "null",
            "\"1700000000\"",
            "1700000000.0",
            "1700000000.5",
            "1.7e9",
            "1e19",
            "1e400",
            "-1",
            "-0",
            "-1700000000",
            "253402300800",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551616",
            "true",
            "[]",
            "{}",
            "NaN",
            "01700000000",
        ] {
            assert_eq!(
                with(name, value),
                Err(Rejection::InvalidClaims),
                "{name}: {value}"
            );
        }
    }
    for value in [
        "\"\"",
        "\" \"",
        "\"a  b\"",
        "\" a\"",
        "\"a\\tb\"",
        "\"a\\\\b\"",
        "\"é\"",
        "null",
        "1",
        "[\"a\"]",
    ] {
        assert_eq!(
            with("scope", value),
            Err(Rejection::InvalidClaims),
            "scope: {value}"
        );
    }
    for name in ["roles", "amr"] {
        for value in ["null", "\"admin\"", "[1]", "[\"\"]", "[[]]", "{}", "true"] {
            assert_eq!(
                with(name, value),
                Err(Rejection::InvalidClaims),
                "{name}: {value}"
            );
        }
    }
    for value in ["null", "2", "[\"aal2\"]", "\"\"", "{}", "true"] {
        assert_eq!(
            with("acr", value),
            Err(Rejection::InvalidClaims),
            "acr: {value}"
        );
    }
    assert_eq!(with("acr", "\"of a later release\""), Ok(()));
    assert_eq!(with("scope", "\"a b\""), Ok(()));
    assert_eq!(with("roles", "[]"), Ok(()));
    assert_eq!(with("nbf", "1700000000"), Ok(()));
}

#[test]
fn payloads_that_are_not_an_object_are_invalid() {
    for payload in [
        "",
        "x",
        "null",
        "[]",
        "\"claims\"",
        "{",
        "{}",
        &format!("{} {{}}", payload()),
    ] {
        let token = forge(&KEYS[0], header(&KEYS[0]), payload);
        let expected = if payload.is_empty() {
            Rejection::Malformed
        } else {
            Rejection::InvalidClaims
        };
        assert_eq!(verify(&token), Err(expected), "{payload}");
    }
}

#[test]
fn the_issuer_and_the_times_are_compared() {
    for issuer in [
        "https://id.example/",
        "https://ID.example",
        "https://id.example.mallory.example",
    ] {
        assert_eq!(
            claims_edited("\"https://id.example\"", &format!("\"{issuer}\"")),
            Err(Rejection::WrongIssuer)
        );
    }
    assert_eq!(
        claims_edited("\"exp\":1700000900", "\"exp\":1700000060"),
        Err(Rejection::Expired)
    );
    assert_eq!(
        claims_edited("\"exp\":1700000900", "\"exp\":1700000061"),
        Ok(())
    );
    assert_eq!(
        claims_edited("\"iat\":1700000000", "\"iat\":1700000061"),
        Err(Rejection::NotYetValid)
    );
    assert_eq!(
        claims_edited("}", ",\"nbf\":1700000061}"),
        Err(Rejection::NotYetValid)
    );
    for exp in ["1700000000", "1699999999", "0"] {
        assert_eq!(
            claims_edited("\"exp\":1700000900", &format!("\"exp\":{exp}")),
            Err(Rejection::InvalidClaims)
        );
    }
}

#[test]
fn nothing_is_believed_of_an_unsigned_payload() {
    let mallory = SigningKey::generate(Algorithm::EdDsa).expect("a key");
    for payload in [
        "{}",
        "x",
        &payload().replace("1700000900", "1"),
        &payload().replace(ISSUER, "x"),
    ] {
        assert_eq!(
            verify(&forge(&mallory, header(&KEYS[0]), payload)),
            Err(Rejection::BadSignature)
        );
    }
}

#[test]
fn deep_nesting_is_passed_over_without_exhausting_the_stack() {
    let deep = format!(",\"x\":{}{}}}", "[".repeat(2_500), "]".repeat(2_500));
    assert_eq!(claims_edited("}", &deep), Ok(()));
    let in_audience = format!("\"aud\":{}{}", "[".repeat(2_500), "]".repeat(2_500));
    assert_eq!(
        claims_edited("\"aud\":\"api\"", &in_audience),
        Err(Rejection::InvalidClaims)
    );
}
