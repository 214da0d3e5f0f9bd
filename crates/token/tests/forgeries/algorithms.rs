//! Tokens that lie about how, or by whom, they were signed.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair, RsaKeyPair};
use countersign_token::{Rejection, SigningKey};

use super::support::{
    KEYS, claims, decode, encode, forge, header, hmac_sign, payload, pem, sign_input, verify,
};

#[test]
fn no_spelling_of_none_is_an_algorithm() {
    for alg in [
        "none",
        "None",
        "NONE",
        "nOnE",
        "none ",
        "",
        "null",
        "no\\u006ee",
    ] {
        for key in KEYS.iter() {
            let header = header(key).replace(key.algorithm().as_str(), alg);
            let input = format!("{}.{}", encode(header), encode(payload()));
            let good = key.sign(&claims()).expect("a token");
            let (_, good_signature) = good.rsplit_once('.').expect("three segments");
            assert_eq!(verify(&format!("{input}.")), Err(Rejection::Malformed));
            assert_eq!(verify(&input), Err(Rejection::Malformed));
            for token in [
                format!("{input}.AA"),
                format!("{input}.{good_signature}"),
                sign_input(key, &input),
            ] {
                assert_eq!(verify(&token), Err(Rejection::WrongAlgorithm), "{alg}");
            }
        }
    }
    for alg in ["null", "0", "[\"EdDSA\"]", "{}"] {
        let header = header(&KEYS[0]).replace("\"EdDSA\"", alg);
        assert!(
            verify(&forge(&KEYS[0], header, payload())).is_err(),
            "{alg}"
        );
    }
    let without = header(&KEYS[0]).replace("\"alg\":\"EdDSA\",", "");
    assert_eq!(
        verify(&forge(&KEYS[0], without, payload())),
        Err(Rejection::WrongAlgorithm)
    );
}

#[test]
fn a_token_cannot_choose_another_algorithm_than_its_key_has() {
    for key in KEYS.iter() {
        for algorithm in [
            "EdDSA", "ES256", "RS256", "HS256", "PS256", "ES384", "Ed25519", "eddsa",
        ] {
            if algorithm == key.algorithm().as_str() {
                continue;
            }
            let header = header(key).replace(key.algorithm().as_str(), algorithm);
            for signer in KEYS.iter() {
                assert_eq!(
                    verify(&forge(signer, &header, payload())),
                    Err(Rejection::WrongAlgorithm)
                );
            }
        }
    }
}

#[test]
fn a_public_key_is_not_an_hmac_secret() {
    let ed25519 = Ed25519KeyPair::from_pkcs8(KEYS[0].secret()).expect("a key");
    let rsa = RsaKeyPair::from_pkcs8(KEYS[2].secret()).expect("a key");
    let ed25519_der: PublicKeyX509Der<'_> = ed25519.public_key().as_der().expect("DER");
    let rsa_der: PublicKeyX509Der<'_> = rsa.public_key().as_der().expect("DER");
    let published = |index: usize| {
        KEYS[index]
            .verifying_key()
            .to_jwk()
            .expect("public")
            .to_string()
    };
    let secrets = [
        (0, ed25519.public_key().as_ref().to_vec()),
        (0, ed25519_der.as_ref().to_vec()),
        (0, pem("PUBLIC KEY", ed25519_der.as_ref()).into_bytes()),
        (0, published(0).into_bytes()),
        (0, KEYS[0].kid().into()),
        (2, rsa.public_key().as_ref().to_vec()),
        (2, rsa_der.as_ref().to_vec()),
        (2, pem("PUBLIC KEY", rsa_der.as_ref()).into_bytes()),
        (2, published(2).into_bytes()),
        (2, vec![]),
    ];
    for (index, secret) in secrets {
        for alg in ["HS256", KEYS[index].algorithm().as_str()] {
            let header = header(&KEYS[index]).replace(KEYS[index].algorithm().as_str(), alg);
            let input = format!("{}.{}", encode(header), encode(payload()));
            let token = format!("{input}.{}", encode(hmac_sign(&secret, input.as_bytes())));
            let rejection = verify(&token).expect_err("key confusion");
            assert!(matches!(
                rejection,
                Rejection::WrongAlgorithm | Rejection::BadSignature
            ));
        }
    }
}

#[test]
fn another_key_cannot_sign_under_this_kid() {
    for key in KEYS.iter() {
        let other = SigningKey::generate(key.algorithm()).expect("a key");
        assert_eq!(
            verify(&forge(&other, header(key), payload())),
            Err(Rejection::BadSignature)
        );
        assert_eq!(
            verify(&other.sign(&claims()).expect("a token")),
            Err(Rejection::UnknownKey)
        );
        for signer in KEYS.iter().filter(|signer| signer.kid() != key.kid()) {
            assert_eq!(
                verify(&forge(signer, header(key), payload())),
                Err(Rejection::BadSignature)
            );
        }
    }
}

#[test]
fn a_signature_belongs_to_its_own_token() {
    for key in KEYS.iter() {
        let token = key.sign(&claims()).expect("a token");
        let mut others = claims();
        others.sub = "0199e0c1-7e1a-7000-8000-00000000000f".into();
        let other = key.sign(&others).expect("a token");
        let (input, _) = token.rsplit_once('.').expect("three segments");
        let (_, signature) = other.rsplit_once('.').expect("three segments");
        assert_eq!(
            verify(&format!("{input}.{signature}")),
            Err(Rejection::BadSignature)
        );
    }
}

#[test]
fn trivial_signatures_are_bad() {
    for key in KEYS.iter() {
        let token = key.sign(&claims()).expect("a token");
        let (input, signature) = token.rsplit_once('.').expect("three segments");
        let length = decode(signature).len();
        for length in [1, 31, 32, 33, 63, 64, 65, length - 1, length, length + 1] {
            for byte in [0_u8, 1, 0xff] {
                let forged = format!("{input}.{}", encode(vec![byte; length]));
                assert_eq!(verify(&forged), Err(Rejection::BadSignature));
            }
        }
    }
}
