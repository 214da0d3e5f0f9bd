//! The half of a key that signs.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RsaKeyPair, RsaPublicKeyComponents,
};
use aws_lc_rs::{error, hmac, rand};
use zeroize::Zeroizing;

use crate::public_key::PublicKey;
use crate::{
    AccessClaims, Algorithm, Jwk, KeyError, KeyFault, MAX_TOKEN_BYTES, VerifyingKey, base64url, jws,
};

/// RFC 7518 section 3.2: an HS256 key is no shorter than the hash.
const MIN_HMAC_SECRET_BYTES: usize = 32;

/// What is authenticated under an HS256 key to name it. It contains a space, so
/// it can never be the signing input of a token.
const HMAC_KID_LABEL: &[u8] = b"countersign key id";

/// A key that signs access tokens with one algorithm.
///
/// Its id is the RFC 7638 thumbprint of the public key. An HS256 key has no
/// public half, and a plain hash of its secret would be one more thing to hand
/// to guessers: its id is an HMAC-SHA-256 under the secret, which tells no more
/// than each token that the key signs.
pub struct SigningKey {
    secret: Zeroizing<Vec<u8>>,
    signer: Signer,
    verifying_key: VerifyingKey,
    header_segment: String,
}

enum Signer {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    Rsa(RsaKeyPair),
    Hmac(Box<hmac::Key>),
}

impl SigningKey {
    /// Makes a new key from the randomness of the crypto library: Ed25519,
    /// P-256, RSA of 2,048 bits, or 32 random bytes.
    ///
    /// # Errors
    ///
    /// [`KeyError::Generation`] if the crypto library fails.
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        let secret = generate_secret(algorithm).map_err(|_| KeyError::Generation(algorithm))?;
        Self::from_secret(algorithm, &secret)
    }

    /// Loads a key from PKCS#8 DER or, for HS256, from the bytes of the secret.
    ///
    /// # Errors
    ///
    /// [`KeyError::Secret`] if the bytes are not such a key, or one that nobody
    /// should rely on: see [`VerifyingKey::from_jwk`]; an HS256 secret has at
    /// least 32 bytes.
    pub fn from_secret(algorithm: Algorithm, secret: &[u8]) -> Result<Self, KeyError> {
        let refused = |fault| KeyError::Secret { algorithm, fault };
        let signer = Signer::from_secret(algorithm, secret).map_err(refused)?;
        let verifying_key = signer.verifying_key().map_err(refused)?;
        Ok(Self {
            header_segment: jws::header_segment(algorithm, verifying_key.kid()),
            secret: Zeroizing::new(secret.to_vec()),
            signer,
            verifying_key,
        })
    }

    /// The bytes that [`from_secret`](Self::from_secret) takes. To be sealed
    /// before they are stored.
    #[must_use]
    pub fn secret(&self) -> &[u8] {
        &self.secret
    }

    /// The id of the key, as its tokens name it.
    #[must_use]
    pub fn kid(&self) -> &str {
        self.verifying_key.kid()
    }

    /// The algorithm that the key signs with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.verifying_key.algorithm()
    }

    /// The half that verifies.
    #[must_use]
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying_key
    }

    /// Signs the claims: a compact JWS whose header is `alg`, `typ` (`at+jwt`)
    /// and `kid`.
    ///
    /// # Errors
    ///
    /// [`KeyError::Claims`] and [`KeyError::TokenTooLarge`] for tokens that no
    /// verifier would take, [`KeyError::Signing`] if the crypto library fails.
    pub fn sign(&self, claims: &AccessClaims) -> Result<String, KeyError> {
        let kid = || self.kid().to_owned();
        claims
            .check()
            .map_err(|claim| KeyError::Claims { kid: kid(), claim })?;
        let payload = serde_json::to_vec(claims).map_err(|_| KeyError::Signing { kid: kid() })?;
        let mut token = format!("{}.{}", self.header_segment, base64url::encode(payload));
        let signature = self
            .signer
            .sign(token.as_bytes())
            .map_err(|_| KeyError::Signing { kid: kid() })?;
        token.push('.');
        token.push_str(&base64url::encode(signature));
        if token.len() > MAX_TOKEN_BYTES {
            return Err(KeyError::TokenTooLarge {
                kid: kid(),
                bytes: token.len(),
            });
        }
        Ok(token)
    }
}

impl Signer {
    fn from_secret(algorithm: Algorithm, secret: &[u8]) -> Result<Self, KeyFault> {
        let invalid = |_| KeyFault::InvalidEncoding;
        match algorithm {
            Algorithm::EdDsa => Ed25519KeyPair::from_pkcs8(secret)
                .map(Self::Ed25519)
                .map_err(invalid),
            Algorithm::Es256 => EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, secret)
                .map(Self::P256)
                .map_err(invalid),
            Algorithm::Rs256 => RsaKeyPair::from_pkcs8(secret)
                .map(Self::Rsa)
                .map_err(invalid),
            Algorithm::Hs256 if secret.len() < MIN_HMAC_SECRET_BYTES => Err(KeyFault::ShortSecret),
            Algorithm::Hs256 => Ok(Self::Hmac(Box::new(hmac::Key::new(
                hmac::HMAC_SHA256,
                secret,
            )))),
        }
    }

    fn verifying_key(&self) -> Result<VerifyingKey, KeyFault> {
        let public_key = match self {
            Self::Ed25519(pair) => PublicKey::Ed25519(fixed(pair.public_key().as_ref())?),
            Self::P256(pair) => {
                let Some((4, coordinates)) = pair.public_key().as_ref().split_first() else {
                    return Err(KeyFault::InvalidEncoding);
                };
                let (x, y) = coordinates.split_at(coordinates.len() / 2);
                PublicKey::P256 {
                    x: fixed(x)?,
                    y: fixed(y)?,
                }
            }
            Self::Rsa(pair) => {
                let RsaPublicKeyComponents { n, e } = pair.public_key().into();
                PublicKey::Rsa { n, e }
            }
            Self::Hmac(key) => {
                let kid = base64url::encode(hmac::sign(key, HMAC_KID_LABEL));
                return Ok(VerifyingKey::symmetric(kid, key.clone()));
            }
        };
        VerifyingKey::from_jwk(&Jwk::new(public_key)).map_err(|error| match error {
            KeyError::Public { fault, .. } => fault,
            _ => KeyFault::InvalidEncoding,
        })
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "ECDSA takes its nonce from the crypto library, whatever is passed"
    )]
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, error::Unspecified> {
        match self {
            Self::Ed25519(pair) => Ok(pair.try_sign(message)?.as_ref().to_vec()),
            Self::P256(pair) => Ok(pair.sign(&SystemRandom::new(), message)?.as_ref().to_vec()),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(
                    &RSA_PKCS1_SHA256,
                    &SystemRandom::new(),
                    message,
                    &mut signature,
                )?;
                Ok(signature)
            }
            Self::Hmac(key) => Ok(hmac::sign(key, message).as_ref().to_vec()),
        }
    }
}

fn fixed(bytes: &[u8]) -> Result<[u8; 32], KeyFault> {
    bytes.try_into().map_err(|_| KeyFault::InvalidEncoding)
}

/// PKCS#8 is written in version 1, which every other library reads.
#[expect(
    clippy::disallowed_methods,
    reason = "keys are made by the crypto library's own generator"
)]
fn generate_secret(algorithm: Algorithm) -> Result<Zeroizing<Vec<u8>>, error::Unspecified> {
    Ok(Zeroizing::new(match algorithm {
        Algorithm::EdDsa => Ed25519KeyPair::generate()?.to_pkcs8v1()?.as_ref().to_vec(),
        Algorithm::Es256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?
            .to_pkcs8v1()?
            .as_ref()
            .to_vec(),
        Algorithm::Rs256 => {
            let der: Pkcs8V1Der<'_> = RsaKeyPair::generate(KeySize::Rsa2048)?.as_der()?;
            der.as_ref().to_vec()
        }
        Algorithm::Hs256 => {
            let mut secret = vec![0; MIN_HMAC_SECRET_BYTES];
            rand::fill(&mut secret)?;
            secret
        }
    }))
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid())
            .field("algorithm", &self.algorithm())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
