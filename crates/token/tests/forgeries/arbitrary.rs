//! Tokens and key sets made of noise.

use countersign_token::{KeySet, Rejection};
use proptest::prelude::*;

use super::support::{ISSUER, KEYS, claims, encode, forge, header, payload, verify};

proptest! {
    #[test]
    fn arbitrary_strings_are_rejected(token in any::<String>()) {
        prop_assert!(verify(&token).is_err());
    }

    #[test]
    fn arbitrary_segments_are_rejected(segments in prop::array::uniform3("[A-Za-z0-9_-]{0,80}")) {
        prop_assert!(verify(&segments.join(".")).is_err());
    }

    #[test]
    fn arbitrary_headers_under_a_good_signature_are_rejected(
        header in prop_oneof![any::<Vec<u8>>(), "\\PC*".prop_map(String::into_bytes), json()],
    ) {
        prop_assert!(verify(&forge(&KEYS[0], header, payload())).is_err());
    }

    #[test]
    fn arbitrary_payloads_under_a_good_signature_are_rejected(
        payload in prop_oneof![any::<Vec<u8>>(), "\\PC*".prop_map(String::into_bytes), json()],
    ) {
        prop_assert!(verify(&forge(&KEYS[0], header(&KEYS[0]), payload)).is_err());
    }

    #[test]
    fn arbitrary_signatures_are_rejected(
        index in 0..4_usize,
        signature in prop::collection::vec(any::<u8>(), 1..300),
    ) {
        let token = KEYS[index].sign(&claims()).expect("a token");
        let (input, _) = token.rsplit_once('.').expect("three segments");
        let forged = format!("{input}.{}", encode(signature));
        prop_assert_eq!(verify(&forged), Err(Rejection::BadSignature));
    }

    #[test]
    fn arbitrary_key_sets_hold_no_key(text in prop_oneof![
        any::<String>(),
        json().prop_map(|json| String::from_utf8(json).expect("JSON is text")),
        json().prop_map(|json| format!(r#"{{"keys":[{}]}}"#, String::from_utf8(json).expect("text"))),
    ]) {
        prop_assert!(KeySet::from_jwks(&text).map_or(true, |(set, _)| set.iter().next().is_none()));
    }
}

/// Objects whose members have names and values that mean something somewhere.
fn json() -> impl Strategy<Value = Vec<u8>> {
    let name = prop::sample::select(vec![
        "alg",
        "typ",
        "kid",
        "crit",
        "iss",
        "sub",
        "aud",
        "exp",
        "iat",
        "nbf",
        "jti",
        "client_id",
        "sid",
        "grp",
        "scope",
        "roles",
        "amr",
        "acr",
        "kty",
        "crv",
        "x",
        "y",
        "n",
        "e",
        "d",
        "use",
        "keys",
    ]);
    let value = prop_oneof![
        Just("null".to_owned()),
        Just("[]".to_owned()),
        Just("{}".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>()
            .prop_filter("JSON has no infinity", |n| n.is_finite())
            .prop_map(|n| n.to_string()),
        "[A-Za-z0-9_-]{0,44}".prop_map(|text| format!("\"{text}\"")),
        prop::sample::select(vec![
            "EdDSA", "at+jwt", "OKP", "EC", "RSA", "Ed25519", "P-256", ISSUER
        ])
        .prop_map(|text| format!("\"{text}\"")),
    ];
    prop::collection::vec((name, value), 0..16).prop_map(|members| {
        let members: Vec<_> = members
            .into_iter()
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        format!("{{{}}}", members.join(",")).into_bytes()
    })
}
