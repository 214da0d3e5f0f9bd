//! The half of a key that verifies, checked once when it is loaded.

use std::fmt;

use jsonwebtoken::DecodingKey;

use crate::{Algorithm, Jwk, KeyError, primitive};

/// A key that verifies tokens of one algorithm.
#[derive(Clone)]
pub struct VerifyingKey {
    kid: String,
    algorithm: Algorithm,
    decoding_key: DecodingKey,
    /// None for a symmetric key.
    jwk: Option<Jwk>,
}

impl VerifyingKey {
    /// Loads a public key.
    ///
    /// # Errors
    ///
    /// [`KeyError::Public`] for numbers that are not a safe key: a P-256 point
    /// off the curve, an Ed25519 point of small order, an RSA modulus outside
    /// 2,048 to 4,096 bits, an even or tiny exponent.
    pub fn from_jwk(jwk: &Jwk) -> Result<Self, KeyError> {
        let decoding_key = jwk.key.decoding_key().map_err(|fault| KeyError::Public {
            kid: jwk.kid().to_owned(),
            fault,
        })?;
        Ok(Self {
            kid: jwk.kid().to_owned(),
            algorithm: jwk.algorithm(),
            decoding_key,
            jwk: Some(jwk.clone()),
        })
    }

    pub(crate) fn symmetric(kid: String, secret: &[u8]) -> Self {
        Self {
            kid,
            algorithm: Algorithm::Hs256,
            decoding_key: DecodingKey::from_secret(secret),
            jwk: None,
        }
    }

    /// The id of the key, as tokens name it.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The only algorithm that the key verifies.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key as it is published; `None` for HS256, whose key is a secret.
    #[must_use]
    pub fn to_jwk(&self) -> Option<Jwk> {
        self.jwk.clone()
    }

    /// Whether `signature` is this key's over `message`.
    pub(crate) fn verifies(&self, message: &[u8], signature: &Vec<u8>) -> bool {
        primitive::verifies(self.algorithm, &self.decoding_key, message, signature)
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}
