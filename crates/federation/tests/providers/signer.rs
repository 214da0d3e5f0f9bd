//! Keys that sign as a provider does, and as one must not.

use std::sync::LazyLock;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::jwk::EllipticCurve;
use jsonwebtoken::{Algorithm, EncodingKey};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::{Value, json};

/// A key that signs.
pub(crate) struct Signer {
    pub(crate) algorithm: Algorithm,
    pub(crate) pem: String,
    key: EncodingKey,
}

fn rsa() -> Signer {
    let pair =
        KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).expect("a key that signs");
    let pem = pair.serialize_pem();
    let key = EncodingKey::from_rsa_pem(pem.as_bytes()).expect("a key that signs");
    Signer {
        algorithm: Algorithm::RS256,
        pem,
        key,
    }
}

pub(crate) static RSA: LazyLock<Signer> = LazyLock::new(rsa);
pub(crate) static OTHER_RSA: LazyLock<Signer> = LazyLock::new(rsa);
pub(crate) static EC: LazyLock<Signer> = LazyLock::new(|| {
    let pem = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)
        .expect("a key that signs")
        .serialize_pem();
    let key = EncodingKey::from_ec_pem(pem.as_bytes()).expect("a key that signs");
    Signer {
        algorithm: Algorithm::ES256,
        pem,
        key,
    }
});
pub(crate) static ED: LazyLock<Signer> = LazyLock::new(|| {
    let pem = KeyPair::generate_for(&PKCS_ED25519)
        .expect("a key that signs")
        .serialize_pem();
    let key = EncodingKey::from_ed_pem(pem.as_bytes()).expect("a key that signs");
    Signer {
        algorithm: Algorithm::EdDSA,
        pem,
        key,
    }
});

impl Signer {
    /// Signs with this algorithm, which the key must fit.
    pub(crate) fn sign(&self, algorithm: Algorithm, message: &str) -> String {
        let signer =
            (DEFAULT_PROVIDER.signer_factory)(&algorithm, &self.key).expect("a key that signs");
        URL_SAFE_NO_PAD.encode(
            signer
                .try_sign(message.as_bytes())
                .expect("a key that signs"),
        )
    }

    /// The public half.
    pub(crate) fn jwk(&self, kid: &str) -> Value {
        let utilities = &DEFAULT_PROVIDER.key_utils;
        let encode = |bytes: Vec<u8>| URL_SAFE_NO_PAD.encode(bytes);
        let bytes = self.key.as_bytes();
        match self.algorithm {
            Algorithm::ES256 => {
                let parts = (utilities.ec_pub_components_from_private_key)(bytes, self.algorithm);
                let (_, x, y) = parts.expect("a key that signs");
                json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y), "kid": kid})
            }
            Algorithm::EdDSA => {
                let curve = &EllipticCurve::Ed25519;
                let x = (utilities.ed_pub_components_from_private_key)(bytes, curve)
                    .expect("a key that signs");
                json!({"kty": "OKP", "crv": "Ed25519", "x": encode(x), "kid": kid})
            }
            _ => {
                let (n, e) = (utilities.rsa_pub_components_from_private_key)(bytes)
                    .expect("a key that signs");
                json!({"kty": "RSA", "n": encode(n), "e": encode(e), "kid": kid, "use": "sig"})
            }
        }
    }
}

/// A token with this header, these claims, and the signature of the key.
pub(crate) fn token(signer: &Signer, header: &Value, claims: &str) -> String {
    let input = input(header, claims.as_bytes());
    let algorithm = match header["alg"].as_str() {
        Some("PS256") => Algorithm::PS256,
        _ => signer.algorithm,
    };
    format!("{input}.{}", signer.sign(algorithm, &input))
}

/// What is signed.
pub(crate) fn input(header: &Value, claims: &[u8]) -> String {
    let header = URL_SAFE_NO_PAD.encode(header.to_string());
    format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims))
}

/// A token that is signed with a secret that is none.
pub(crate) fn hmac_token(secret: &[u8], header: &Value, claims: &str) -> String {
    let input = input(header, claims.as_bytes());
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&key, input.as_bytes()));
    format!("{input}.{signature}")
}
