//! What the tests over whole tokens share: one key of each algorithm, good
//! claims, and a way to sign any bytes whatsoever.

use std::sync::LazyLock;
use std::time::Duration;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use countersign_token::{AccessClaims, Algorithm, KeySet, Rejection, SigningKey, Verifier};

pub(crate) const ISSUER: &str = "https://id.example";
pub(crate) const NOW: i64 = 1_700_000_060;

/// One key of each algorithm, in the order of [`Algorithm::ALL`].
pub(crate) static KEYS: LazyLock<[SigningKey; 4]> = LazyLock::new(|| {
    Algorithm::ALL.map(|algorithm| SigningKey::generate(algorithm).expect("a key"))
});

/// The set of all [`KEYS`].
pub(crate) static KEY_SET: LazyLock<KeySet> = LazyLock::new(|| {
    KeySet::new(KEYS.iter().map(|key| key.verifying_key().clone()).collect())
        .expect("distinct keys")
});

pub(crate) fn claims() -> AccessClaims {
    AccessClaims {
        iss: ISSUER.into(),
        sub: "0199e0c1-7e1a-7000-8000-000000000001".into(),
        aud: vec!["api".into()],
        exp: 1_700_000_900,
        iat: 1_700_000_000,
        nbf: None,
        jti: "0199e0c1-7e1a-7000-8000-000000000002".into(),
        client_id: "web".into(),
        sid: "0199e0c1-7e1a-7000-8000-000000000003".into(),
        grp: "default".into(),
        scope: vec!["profile".into(), "orders:read".into()],
        roles: vec!["member".into()],
        amr: vec!["pwd".into()],
        acr: Some("aal1".into()),
        auth_time: 1_700_000_000,
    }
}

/// Verifies against all [`KEYS`] at [`NOW`] without leeway.
pub(crate) fn verify(token: &str) -> Result<AccessClaims, Rejection> {
    Verifier::new(ISSUER, Duration::ZERO).verify(&KEY_SET, token, NOW)
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// DER as the text file that most tools take.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let lines: Vec<_> = body
        .as_bytes()
        .chunks(64)
        .map(String::from_utf8_lossy)
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

pub(crate) fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).expect("base64url")
}

/// The header that the key itself would write.
pub(crate) fn header(key: &SigningKey) -> String {
    format!(
        r#"{{"alg":"{}","typ":"at+jwt","kid":"{}"}}"#,
        key.algorithm(),
        key.kid()
    )
}

pub(crate) fn payload() -> String {
    serde_json::to_string(&claims()).expect("plain data")
}

/// A token of any header and payload under a good signature of `key`.
pub(crate) fn forge(
    key: &SigningKey,
    header: impl AsRef<[u8]>,
    payload: impl AsRef<[u8]>,
) -> String {
    sign_input(key, &format!("{}.{}", encode(header), encode(payload)))
}

/// Any signing input under a good signature of `key`.
#[expect(
    clippy::disallowed_methods,
    reason = "the crypto library wants it for ECDSA"
)]
pub(crate) fn sign_input(key: &SigningKey, input: &str) -> String {
    let rng = SystemRandom::new();
    let message = input.as_bytes();
    let signature = match key.algorithm() {
        Algorithm::EdDsa => Ed25519KeyPair::from_pkcs8(key.secret())
            .expect("a key")
            .sign(message)
            .as_ref()
            .to_vec(),
        Algorithm::Es256 => {
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.secret())
                .expect("a key")
                .sign(&rng, message)
                .expect("a signature")
                .as_ref()
                .to_vec()
        }
        Algorithm::Rs256 => {
            let pair = RsaKeyPair::from_pkcs8(key.secret()).expect("a key");
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(&RSA_PKCS1_SHA256, &rng, message, &mut signature)
                .expect("a signature");
            signature
        }
        Algorithm::Hs256 => hmac_sign(key.secret(), message),
    };
    format!("{input}.{}", encode(signature))
}

pub(crate) fn hmac_sign(secret: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message)
        .as_ref()
        .to_vec()
}
