//! The half of a key that signs.

use std::fmt;

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::private_key::{PrivateKey, PublicHalf};
use crate::{
    AccessClaims, Algorithm, Jwk, KeyError, KeyFault, MAX_TOKEN_BYTES, VerifyingKey, base64url, jws,
};

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
    private_key: PrivateKey,
    verifying_key: VerifyingKey,
    header_segment: String,
}

impl SigningKey {
    /// Makes a new key from the randomness of the crypto library: Ed25519,
    /// P-256, RSA of 2,048 bits, or 32 random bytes.
    ///
    /// # Errors
    ///
    /// [`KeyError::Generation`] if the crypto library fails.
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        let secret =
            PrivateKey::generate_secret(algorithm).map_err(|_| KeyError::Generation(algorithm))?;
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
        let private_key = PrivateKey::from_secret(algorithm, secret).map_err(refused)?;
        Self::of(private_key, secret).map_err(refused)
    }

    /// Loads an HS256 key that another server made, of any length but none: those of
    /// old servers are often shorter than RFC 7518 wants them.
    ///
    /// # Errors
    ///
    /// [`KeyError::Secret`] if the secret is empty.
    pub fn from_foreign_secret(secret: &[u8]) -> Result<Self, KeyError> {
        let refused = |fault| KeyError::Secret {
            algorithm: Algorithm::Hs256,
            fault,
        };
        let private_key = PrivateKey::of_foreign_secret(secret).map_err(refused)?;
        Self::of(private_key, secret).map_err(refused)
    }

    fn of(private_key: PrivateKey, secret: &[u8]) -> Result<Self, KeyFault> {
        let verifying_key = verifying_key(&private_key, secret)?;
        Ok(Self {
            header_segment: jws::header_segment(verifying_key.algorithm(), verifying_key.kid()),
            secret: Zeroizing::new(secret.to_vec()),
            private_key,
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
        self.check_claims(claims)?;
        let payload = serde_json::to_vec(claims).map_err(|_| KeyError::Signing {
            kid: self.kid().to_owned(),
        })?;
        self.sign_payload(&self.header_segment, &payload)
    }

    /// Whether a verifier would take the claims.
    pub(crate) fn check_claims(&self, claims: &AccessClaims) -> Result<(), KeyError> {
        claims.check().map_err(|claim| KeyError::Claims {
            kid: self.kid().to_owned(),
            claim,
        })
    }

    /// Signs a payload under a header that names the algorithm of this key.
    pub(crate) fn sign_payload(
        &self,
        header_segment: &str,
        payload: &[u8],
    ) -> Result<String, KeyError> {
        let mut token = format!("{header_segment}.{}", base64url::encode(payload));
        let signature = self.sign_bytes(token.as_bytes())?;
        token.push('.');
        token.push_str(&base64url::encode(signature));
        if token.len() > MAX_TOKEN_BYTES {
            return Err(KeyError::TokenTooLarge {
                kid: self.kid().to_owned(),
                bytes: token.len(),
            });
        }
        Ok(token)
    }

    fn sign_bytes(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.private_key
            .sign(message)
            .map_err(|_| KeyError::Signing {
                kid: self.kid().to_owned(),
            })
    }
}

fn verifying_key(private_key: &PrivateKey, secret: &[u8]) -> Result<VerifyingKey, KeyFault> {
    let public_key = match private_key.public_half()? {
        PublicHalf::Public(public_key) => public_key,
        PublicHalf::Symmetric(key) => {
            let kid = base64url::encode(hmac::sign(key, HMAC_KID_LABEL));
            return Ok(VerifyingKey::symmetric(kid, secret));
        }
    };
    VerifyingKey::from_jwk(&Jwk::new(public_key)).map_err(|error| match error {
        KeyError::Public { fault, .. } => fault,
        _ => KeyFault::InvalidEncoding,
    })
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
