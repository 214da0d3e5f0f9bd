//! Tokens whose header asks for more, or for something else, than a verifier gives.

use std::time::Duration;

use countersign_token::{Algorithm, KeySet, Rejection, SigningKey, Verifier};

use super::support::{
    ISSUER, KEYS, NOW, claims, encode, forge, header, payload, sign_input, verify,
};

/// The header of the first key (EdDSA) with one more member.
fn header_with(member: &str) -> String {
    header(&KEYS[0]).replace('}', &format!(",{member}}}"))
}

#[test]
fn a_key_is_never_taken_from_the_token() {
    let mallory = SigningKey::generate(Algorithm::EdDsa).expect("a key");
    let jwk = mallory.verifying_key().to_jwk().expect("public");
    for member in [
        format!(r#""jwk":{jwk}"#),
        r#""jku":"https://mallory.example/jwks.json""#.into(),
        r#""x5u":"https://mallory.example/chain.pem""#.into(),
        r#""x5c":["MIIB"]"#.into(),
        r#""x5t":"AAAA""#.into(),
        r#""x5t#S256":"AAAA""#.into(),
        r#""jwk":null"#.into(),
    ] {
        for kid in [KEYS[0].kid(), mallory.kid()] {
            let header = header_with(&member).replace(KEYS[0].kid(), kid);
            for key in [&mallory, &KEYS[0]] {
                assert_eq!(
                    verify(&forge(key, &header, payload())),
                    Err(Rejection::UnsupportedHeader),
                    "{member}"
                );
            }
        }
    }
}

#[test]
fn extensions_are_refused_critical_or_not() {
    for member in [
        r#""crit":["exp"],"exp":1"#,
        r#""crit":[]"#,
        r#""crit":["b64"],"b64":false"#,
        r#""b64":false"#,
        r#""b64":true"#,
        r#""cty":"JWT""#,
        r#""zip":"DEF""#,
        r#""enc":"A128GCM""#,
        r#""nonce":"1""#,
        r#""Alg":"none""#,
        r#""":"""#,
    ] {
        assert_eq!(
            verify(&forge(&KEYS[0], header_with(member), payload())),
            Err(Rejection::UnsupportedHeader),
            "{member}"
        );
    }
}

#[test]
fn an_unencoded_payload_is_malformed() {
    let input = format!(
        "{}.{}",
        encode(header_with(r#""b64":false,"crit":["b64"]"#)),
        payload()
    );
    assert_eq!(
        verify(&sign_input(&KEYS[0], &input)),
        Err(Rejection::Malformed)
    );
}

#[test]
fn kids_that_name_no_key_are_unknown_whatever_they_contain() {
    let truncated = &KEYS[0].kid()[..42];
    let longer = format!("{}A", KEYS[0].kid());
    let upper = KEYS[0].kid().to_uppercase();
    let long = "k".repeat(4_000);
    for kid in [
        "",
        "0",
        "../../../../dev/null",
        "..\\\\..\\\\windows\\\\win.ini",
        "/etc/passwd",
        "file:///dev/null",
        "https://mallory.example/key",
        "' OR '1'='1",
        "'; DROP TABLE signing_keys; --",
        "$(id)",
        "\\u0000",
        "%2e%2e%2f",
        "*",
        "{{7*7}}",
        "열쇠",
        truncated,
        &longer,
        &upper,
        &long,
    ] {
        let header = header(&KEYS[0]).replace(KEYS[0].kid(), kid);
        assert_eq!(
            verify(&forge(&KEYS[0], header, payload())),
            Err(Rejection::UnknownKey),
            "{kid}"
        );
    }
    for header in [
        r#"{"alg":"EdDSA","typ":"at+jwt"}"#,
        r#"{"alg":"EdDSA","typ":"at+jwt","kid":null}"#,
    ] {
        assert_eq!(
            verify(&forge(&KEYS[0], header, payload())),
            Err(Rejection::UnknownKey)
        );
    }
    let empty = KeySet::default();
    let token = KEYS[0].sign(&claims()).expect("a token");
    let verifier = Verifier::new(ISSUER, Duration::ZERO);
    assert_eq!(
        verifier.verify(&empty, &token, NOW),
        Err(Rejection::UnknownKey)
    );
}

#[test]
fn every_class_of_token_but_access_tokens_is_of_the_wrong_type() {
    let with_typ = |typ: &str| {
        let header = header(&KEYS[0]).replace("\"at+jwt\"", typ);
        verify(&forge(&KEYS[0], header, payload())).map(drop)
    };
    for typ in [
        "\"JWT\"",
        "\"jwt\"",
        "\"\"",
        "\"at\"",
        "\"at+jwt \"",
        "\"at+jwt;v=1\"",
        "\"rt+jwt\"",
        "\"id+jwt\"",
        "\"mfa+jwt\"",
        "\"dpop+jwt\"",
        "\"logout+jwt\"",
        "\"application/jwt\"",
        "\"application/application/at+jwt\"",
        "\"text/at+jwt\"",
        "null",
    ] {
        assert_eq!(with_typ(typ), Err(Rejection::WrongType), "{typ}");
    }
    assert_eq!(with_typ("1"), Err(Rejection::UnsupportedHeader));
    assert_eq!(with_typ("[\"at+jwt\"]"), Err(Rejection::UnsupportedHeader));
    for typ in [
        "\"AT+JWT\"",
        "\"application/at+jwt\"",
        "\"Application/At+Jwt\"",
        "\"at\\u002bjwt\"",
    ] {
        assert_eq!(with_typ(typ), Ok(()), "{typ}");
    }
    let without = header(&KEYS[0]).replace("\"typ\":\"at+jwt\",", "");
    assert_eq!(
        verify(&forge(&KEYS[0], without, payload())),
        Err(Rejection::WrongType)
    );
}

#[test]
fn repeated_members_of_the_header_are_refused() {
    for member in [
        r#""alg":"EdDSA""#,
        r#""alg":"none""#,
        r#""typ":"at+jwt""#,
        r#""kid":"x""#,
        r#""\u0061lg":"none""#,
    ] {
        assert_eq!(
            verify(&forge(&KEYS[0], header_with(member), payload())),
            Err(Rejection::UnsupportedHeader),
            "{member}"
        );
    }
}
