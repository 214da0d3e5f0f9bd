//! Genuine tokens of any age and issuer, as revocation takes them: only the
//! issuer and the times are passed over.

use countersign_token::{AccessClaims, Algorithm, KeySet, Rejection, SigningKey, Verifier};

use super::support::{KEY_SET, KEYS, NOW, claims, forge, header, payload, verify};

fn genuine(token: &str) -> Result<AccessClaims, Rejection> {
    Verifier::genuine(&KEY_SET, token)
}

#[test]
fn expired_and_postponed_tokens_are_genuine() {
    let expired = AccessClaims {
        iat: 1,
        exp: 2,
        ..claims()
    };
    let postponed = AccessClaims {
        nbf: Some(NOW + 86_400),
        exp: NOW + 172_800,
        ..claims()
    };
    let from_the_future = AccessClaims {
        iat: NOW + 86_400,
        exp: NOW + 172_800,
        ..claims()
    };
    for key in KEYS.iter() {
        for (claims, rejection) in [
            (&expired, Rejection::Expired),
            (&postponed, Rejection::NotYetValid),
            (&from_the_future, Rejection::NotYetValid),
        ] {
            let token = key.sign(claims).expect("a token");
            assert_eq!(verify(&token), Err(rejection));
            assert_eq!(genuine(&token), Ok(claims.clone()));
        }
        let good = key.sign(&claims()).expect("a token");
        assert_eq!(genuine(&good), verify(&good));
    }
}

#[test]
fn a_token_of_an_issuer_that_was_renamed_is_genuine() {
    let renamed = AccessClaims {
        iss: "https://former.example".into(),
        ..claims()
    };
    for key in KEYS.iter() {
        let token = key.sign(&renamed).expect("a token");
        assert_eq!(verify(&token), Err(Rejection::WrongIssuer));
        assert_eq!(genuine(&token), Ok(renamed.clone()));
    }
}

#[test]
fn whatever_else_is_wrong_is_refused_as_ever() {
    let key = &KEYS[0];
    let stranger = SigningKey::generate(Algorithm::EdDsa).expect("a key");
    let good = key.sign(&claims()).expect("a token");
    let edited = |from: &str, to: &str| {
        let payload = payload();
        assert!(payload.contains(from));
        forge(key, header(key), payload.replace(from, to))
    };
    let typed = |typ: &str| forge(key, header(key).replace("at+jwt", typ), payload());
    for (token, rejection) in [
        (good.replace('.', ""), Rejection::Malformed),
        (" ".repeat(10_000), Rejection::TooLarge),
        (typed("JWT"), Rejection::WrongType),
        (typed("rt+jwt"), Rejection::WrongType),
        (
            forge(
                key,
                header(key).replace('{', r#"{"crit":["exp"],"#),
                payload(),
            ),
            Rejection::UnsupportedHeader,
        ),
        (
            stranger.sign(&claims()).expect("a token"),
            Rejection::UnknownKey,
        ),
        (
            forge(key, header(key).replace("EdDSA", "HS256"), payload()),
            Rejection::WrongAlgorithm,
        ),
        (
            forge(&stranger, header(key), payload()),
            Rejection::BadSignature,
        ),
        (
            edited(r#""exp":1700000900"#, r#""exp":1"#),
            Rejection::InvalidClaims,
        ),
        (
            edited(r#""exp":1700000900"#, r#""exp":1e19"#),
            Rejection::InvalidClaims,
        ),
        (edited(r#""exp":1700000900,"#, ""), Rejection::InvalidClaims),
        (
            edited(r#""sid":"0199e0c1-7e1a-7000-8000-000000000003","#, ""),
            Rejection::InvalidClaims,
        ),
    ] {
        assert_eq!(genuine(&token), Err(rejection));
        assert_eq!(verify(&token), Err(rejection));
    }
    let none = Verifier::genuine(&KeySet::default(), &good);
    assert_eq!(none, Err(Rejection::UnknownKey));
}

#[test]
fn no_flipped_bit_goes_unnoticed_at_any_time() {
    for key in KEYS.iter() {
        let token = key.sign(&claims()).expect("a token");
        let mut flips = 0;
        for position in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[position] ^= 1 << (position % 7);
            let flipped = String::from_utf8(bytes).expect("ASCII");
            assert!(genuine(&flipped).is_err(), "character {position}");
            flips += 1;
        }
        assert_eq!(flips, token.len());
    }
}
