//! The half of a key that verifies, parsed once when it is loaded.

use std::fmt;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::ParsedPublicKey;

use crate::{Algorithm, Jwk, KeyError};

/// A key that verifies tokens of one algorithm.
#[derive(Clone)]
pub struct VerifyingKey {
    kid: String,
    algorithm: Algorithm,
    material: Material,
}

#[derive(Clone)]
enum Material {
    Public { parsed: ParsedPublicKey, jwk: Jwk },
    Symmetric(Box<hmac::Key>),
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
        let parsed = jwk.key.parse().map_err(|fault| KeyError::Public {
            kid: jwk.kid().to_owned(),
            fault,
        })?;
        Ok(Self {
            kid: jwk.kid().to_owned(),
            algorithm: jwk.algorithm(),
            material: Material::Public {
                parsed,
                jwk: jwk.clone(),
            },
        })
    }

    pub(crate) fn symmetric(kid: String, key: Box<hmac::Key>) -> Self {
        Self {
            kid,
            algorithm: Algorithm::Hs256,
            material: Material::Symmetric(key),
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
        match &self.material {
            Material::Public { jwk, .. } => Some(jwk.clone()),
            Material::Symmetric(_) => None,
        }
    }

    /// Whether `signature` is this key's over `message`.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Public { parsed, .. } => parsed.verify_sig(message, signature).is_ok(),
            Material::Symmetric(key) => hmac::verify(key, message, signature).is_ok(),
        }
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
