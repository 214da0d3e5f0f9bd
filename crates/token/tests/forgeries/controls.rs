//! The controls: good tokens pass. Tokens and keys are understood in both directions by the reader and the writer of
//! `jsonwebtoken`, and any claims that we sign are read back unchanged.

use std::time::Duration;

use super::support::{
    ISSUER, KEY_SET, KEYS, NOW, claims, forge, header, payload, pem, sign_input, verify,
};
use countersign_token::{AccessClaims, Algorithm, KeySet, SigningKey, Verifier};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation};
use proptest::prelude::*;

fn foreign(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
        Algorithm::Hs256 => jsonwebtoken::Algorithm::HS256,
    }
}

#[test]
fn good_tokens_of_every_algorithm_pass() {
    for key in KEYS.iter() {
        let token = key.sign(&claims()).expect("a token");
        assert_eq!(verify(&token), Ok(claims()), "{}", key.algorithm());
        assert_eq!(verify(&forge(key, header(key), payload())), Ok(claims()));
    }
}

#[test]
fn our_tokens_are_read_by_others_with_our_published_keys() {
    let jwks: JwkSet = serde_json::from_str(&KEY_SET.to_jwks()).expect("a JWK set");
    assert_eq!(jwks.keys.len(), 3);
    for key in KEYS.iter() {
        let decoding_key = match jwks.find(key.kid()) {
            Some(jwk) => DecodingKey::from_jwk(jwk).expect("a public key"),
            None => DecodingKey::from_secret(key.secret()),
        };
        let mut validation = Validation::new(foreign(key.algorithm()));
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&["api"]);
        validation.validate_exp = false;
        let token = key.sign(&claims()).expect("a token");
        let data = jsonwebtoken::decode::<AccessClaims>(&token, &decoding_key, &validation)
            .expect("a token that others read");
        assert_eq!(data.claims, claims());
        assert_eq!(data.header.typ.as_deref(), Some("at+jwt"));
        assert_eq!(data.header.kid.as_deref(), Some(key.kid()));
    }
}

#[test]
fn the_tokens_that_others_sign_with_our_keys_are_read() {
    for key in KEYS.iter() {
        let encoding_key = match key.algorithm() {
            Algorithm::EdDsa => EncodingKey::from_ed_der(key.secret()),
            Algorithm::Es256 => EncodingKey::from_ec_der(key.secret()),
            Algorithm::Rs256 => {
                let pem = pem("PRIVATE KEY", key.secret());
                EncodingKey::from_rsa_pem(pem.as_bytes()).expect("PKCS#8")
            }
            Algorithm::Hs256 => EncodingKey::from_secret(key.secret()),
        };
        let mut header = Header::new(foreign(key.algorithm()));
        header.typ = Some("at+jwt".into());
        header.kid = Some(key.kid().into());
        let token = jsonwebtoken::encode(&header, &claims(), &encoding_key).expect("a token");
        assert_eq!(verify(&token), Ok(claims()), "{}", key.algorithm());
    }
}

#[test]
fn the_key_and_the_signature_of_rfc_8037_are_ours() {
    // Appendix A.1 in PKCS#8 (RFC 8410): a fixed prefix, then the seed.
    let pkcs8 = [
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04,
        0x20, 0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec,
        0x2c, 0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c,
        0xae, 0x7f, 0x60,
    ];
    let key = SigningKey::from_secret(Algorithm::EdDsa, &pkcs8).expect("the key of the RFC");
    assert_eq!(key.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    // Appendix A.4.
    assert_eq!(
        sign_input(
            &key,
            "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
        ),
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    );
    let set = KeySet::new(vec![key.verifying_key().clone()]).expect("one key");
    let token = key.sign(&claims()).expect("a token");
    assert_eq!(
        Verifier::new(ISSUER, Duration::ZERO).verify(&set, &token, NOW),
        Ok(claims())
    );
}

proptest! {
    #[test]
    fn whatever_is_signed_is_read_back_unchanged(
        index in 0..4_usize,
        ids in prop::array::uniform5("\\PC{1,40}"),
        aud in prop::collection::vec("\\PC{1,20}", 1..4),
        scope in prop::collection::vec("[!#-\\[\\]-~]{1,12}", 0..6),
        roles in prop::collection::vec("\\PC{1,12}", 0..6),
        amr in prop::collection::vec("[a-z]{1,6}", 0..3),
        acr in prop::option::of("\\PC{1,12}"),
        before in 0..NOW,
        after in 1..1_000_000_000_i64,
        nbf in prop::option::of(0..=NOW),
    ) {
        let [sub, jti, client_id, sid, grp] = ids;
        let signed = AccessClaims {
            iss: ISSUER.into(),
            sub,
            aud,
            exp: NOW + after,
            iat: NOW - before,
            nbf,
            jti,
            client_id,
            sid,
            grp,
            scope,
            roles,
            amr,
            acr,
            auth_time: NOW - before,
        };
        let token = KEYS[index].sign(&signed).expect("good claims");
        prop_assert_eq!(verify(&token), Ok(signed));
    }
}
