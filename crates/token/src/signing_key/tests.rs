//! Loading, naming and using signing keys.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::RsaKeyPair;

use super::*;
use crate::claims::tests::claims;

fn fault(algorithm: Algorithm, secret: &[u8]) -> KeyFault {
    match SigningKey::from_secret(algorithm, secret) {
        Err(KeyError::Secret {
            algorithm: named,
            fault,
        }) if named == algorithm => fault,
        other => panic!("expected a fault, got {other:?}"),
    }
}

#[test]
fn a_key_is_the_same_after_it_was_stored() {
    for algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm).expect("a key");
        let loaded = SigningKey::from_secret(algorithm, key.secret()).expect("the same key");
        assert_eq!(loaded.kid(), key.kid());
        assert_eq!(loaded.secret(), key.secret());
        assert_eq!(loaded.algorithm(), algorithm);
        assert_eq!(
            loaded.verifying_key().to_jwk(),
            key.verifying_key().to_jwk()
        );
        let signature = key.sign_bytes(b"message").expect("a signature");
        assert!(loaded.verifying_key().verifies(b"message", &signature));
        assert!(!loaded.verifying_key().verifies(b"massage", &signature));
    }
}

#[test]
fn a_key_signs_for_many_threads_at_once() {
    for algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm).expect("a key");
        std::thread::scope(|scope| {
            for thread in 0_u8..8 {
                let key = &key;
                scope.spawn(move || {
                    for message in (0_u8..32).map(|number| [thread, number]) {
                        let signature = key.sign_bytes(&message).expect("a signature");
                        assert!(key.verifying_key().verifies(&message, &signature));
                    }
                });
            }
        });
    }
}

#[test]
fn two_keys_are_never_the_same() {
    for algorithm in Algorithm::ALL {
        let [one, other] = [0; 2].map(|_| SigningKey::generate(algorithm).expect("a key"));
        assert_ne!(one.kid(), other.kid());
        let signature = one.sign_bytes(b"message").expect("a signature");
        assert!(!other.verifying_key().verifies(b"message", &signature));
    }
}

#[test]
fn a_kid_is_43_characters_of_base64url_whatever_the_algorithm() {
    for algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm).expect("a key");
        assert_eq!(
            base64url::decode(key.kid()).map(|bytes| bytes.len()),
            Some(32)
        );
        assert_eq!(key.verifying_key().kid(), key.kid());
    }
}

#[test]
fn a_symmetric_key_is_never_published_and_its_kid_is_not_a_hash_of_it() {
    let key = SigningKey::generate(Algorithm::Hs256).expect("a key");
    assert_eq!(key.verifying_key().to_jwk(), None);
    let jwk = format!(
        r#"{{"k":"{}","kty":"oct"}}"#,
        base64url::encode(key.secret())
    );
    for hashed in [key.secret(), jwk.as_bytes()] {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, hashed);
        assert_ne!(key.kid(), base64url::encode(digest));
    }
}

#[test]
fn the_header_says_algorithm_type_and_key_and_nothing_else() {
    for algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm).expect("a key");
        let token = key.sign(&claims()).expect("a token");
        let header = token
            .split('.')
            .next()
            .and_then(base64url::decode)
            .expect("a header");
        let expected = format!(
            r#"{{"alg":"{algorithm}","typ":"at+jwt","kid":"{}"}}"#,
            key.kid()
        );
        assert_eq!(String::from_utf8(header).expect("text"), expected);
    }
}

#[test]
fn secrets_of_another_kind_are_refused() {
    let keys = Algorithm::ALL.map(|algorithm| SigningKey::generate(algorithm).expect("a key"));
    for key in &keys {
        for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256] {
            if algorithm != key.algorithm() {
                assert_eq!(fault(algorithm, key.secret()), KeyFault::InvalidEncoding);
            }
        }
    }
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256] {
        for secret in [&b""[..], b"x", &[0; 32], &[0x30; 48]] {
            assert_eq!(fault(algorithm, secret), KeyFault::InvalidEncoding);
        }
    }
}

#[test]
fn a_truncated_key_is_refused() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256] {
        let key = SigningKey::generate(algorithm).expect("a key");
        for length in 0..key.secret().len() {
            fault(algorithm, &key.secret()[..length]);
        }
    }
}

#[test]
fn rsa_keys_of_every_allowed_size_sign() {
    for size in [KeySize::Rsa2048, KeySize::Rsa3072, KeySize::Rsa4096] {
        let pair = RsaKeyPair::generate(size).expect("a key");
        let secret: Pkcs8V1Der<'_> = pair.as_der().expect("PKCS#8");
        let key = SigningKey::from_secret(Algorithm::Rs256, secret.as_ref()).expect("a key");
        let signature = key.sign_bytes(b"message").expect("a signature");
        assert_eq!(signature.len(), size.len());
        assert!(key.verifying_key().verifies(b"message", &signature));
    }
}

#[test]
fn hmac_secrets_need_32_bytes() {
    assert_eq!(fault(Algorithm::Hs256, b""), KeyFault::ShortSecret);
    assert_eq!(fault(Algorithm::Hs256, &[7; 31]), KeyFault::ShortSecret);
    assert!(SigningKey::from_secret(Algorithm::Hs256, &[7; 32]).is_ok());
}

#[test]
fn claims_that_no_verifier_would_take_are_not_signed() {
    let key = SigningKey::generate(Algorithm::EdDsa).expect("a key");
    let injected = AccessClaims {
        scope: vec!["read admin".into()],
        ..claims()
    };
    assert!(matches!(
        key.sign(&injected),
        Err(KeyError::Claims { claim: "scope", .. })
    ));
    let nobody = AccessClaims {
        sub: String::new(),
        ..claims()
    };
    assert!(matches!(
        key.sign(&nobody),
        Err(KeyError::Claims { claim: "sub", .. })
    ));
}

#[test]
fn a_token_too_large_for_every_verifier_is_not_handed_out() {
    let key = SigningKey::generate(Algorithm::EdDsa).expect("a key");
    let with_roles = |count| AccessClaims {
        roles: vec!["role".into(); count],
        ..claims()
    };
    let fits = key.sign(&with_roles(700)).expect("a long token");
    assert!(fits.len() > 6_000 && fits.len() <= MAX_TOKEN_BYTES);
    assert!(matches!(
        key.sign(&with_roles(1_000)),
        Err(KeyError::TokenTooLarge { bytes, .. }) if bytes > MAX_TOKEN_BYTES
    ));
}

#[test]
fn debug_output_shows_the_id_and_no_secret() {
    for algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm).expect("a key");
        let shown = format!("{key:?} {:?}", key.verifying_key());
        assert!(shown.contains(key.kid()));
        assert!(shown.len() < 250, "{shown}");
        let hex: String = key
            .secret()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let base64 = base64url::encode(key.secret());
        let list = format!("{:?}", &key.secret()[..8]);
        for form in [
            &hex[hex.len() - 16..],
            &base64[..11],
            list.trim_matches(['[', ']']),
        ] {
            assert!(!shown.contains(form), "{shown}");
        }
    }
}
