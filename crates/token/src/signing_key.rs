//! The half of a key that signs.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair,
    RsaPublicKeyComponents,
};
use aws_lc_rs::{error, hmac, rand};
use jsonwebtoken::EncodingKey;
use zeroize::Zeroizing;

use crate::public_key::PublicKey;
use crate::{
    AccessClaims, Algorithm, Jwk, KeyError, KeyFault, MAX_TOKEN_BYTES, VerifyingKey, base64url,
    jws, primitive,
};

/// RFC 7518 section 3.2: an HS256 key is no shorter than the hash.
const MIN_HMAC_SECRET_BYTES: usize = 32;

/// What is authenticated under an HS256 key to name it. It contains a space, so
/// it can never be the signing input of a token.
const HMAC_KID_LABEL: &[u8] = b"countersign key id";

/// What PKCS#8 version 1 writes before an RSA private key (RFC 8017): its own
/// length, the version, the algorithm, and the length of the key. Both lengths
/// take two bytes at every size of key that is allowed.
const PKCS8_RSA_PREFIX_BYTES: usize = 26;

/// A key that signs access tokens with one algorithm.
///
/// Its id is the RFC 7638 thumbprint of the public key. An HS256 key has no
/// public half, and a plain hash of its secret would be one more thing to hand
/// to guessers: its id is an HMAC-SHA-256 under the secret, which tells no more
/// than each token that the key signs.
pub struct SigningKey {
    secret: Zeroizing<Vec<u8>>,
    encoding_key: EncodingKey,
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
        let (encoding_key, verifying_key) = load(algorithm, secret).map_err(refused)?;
        Ok(Self {
            header_segment: jws::header_segment(algorithm, verifying_key.kid()),
            secret: Zeroizing::new(secret.to_vec()),
            encoding_key,
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
        let signature = self.sign_bytes(token.as_bytes())?;
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

    fn sign_bytes(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        primitive::sign(self.algorithm(), &self.encoding_key, message).map_err(|_| {
            KeyError::Signing {
                kid: self.kid().to_owned(),
            }
        })
    }
}

fn load(algorithm: Algorithm, secret: &[u8]) -> Result<(EncodingKey, VerifyingKey), KeyFault> {
    let invalid = |_| KeyFault::InvalidEncoding;
    let (encoding_key, public_key) = match algorithm {
        Algorithm::EdDsa => {
            let pair = Ed25519KeyPair::from_pkcs8(secret).map_err(invalid)?;
            let public_key = PublicKey::Ed25519(fixed(pair.public_key().as_ref())?);
            (EncodingKey::from_ed_der(secret), public_key)
        }
        Algorithm::Es256 => {
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, secret)
                .map_err(invalid)?;
            let Some((4, coordinates)) = pair.public_key().as_ref().split_first() else {
                return Err(KeyFault::InvalidEncoding);
            };
            let (x, y) = coordinates.split_at(coordinates.len() / 2);
            let public_key = PublicKey::P256 {
                x: fixed(x)?,
                y: fixed(y)?,
            };
            (EncodingKey::from_ec_der(secret), public_key)
        }
        Algorithm::Rs256 => {
            let pair = RsaKeyPair::from_pkcs8(secret).map_err(invalid)?;
            let RsaPublicKeyComponents { n, e } = pair.public_key().into();
            (rsa_encoding_key(&pair)?, PublicKey::Rsa { n, e })
        }
        Algorithm::Hs256 if secret.len() < MIN_HMAC_SECRET_BYTES => {
            return Err(KeyFault::ShortSecret);
        }
        Algorithm::Hs256 => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
            let kid = base64url::encode(hmac::sign(&key, HMAC_KID_LABEL));
            return Ok((
                EncodingKey::from_secret(secret),
                VerifyingKey::symmetric(kid, secret),
            ));
        }
    };
    let verifying_key =
        VerifyingKey::from_jwk(&Jwk::new(public_key)).map_err(|error| match error {
            KeyError::Public { fault, .. } => fault,
            _ => KeyFault::InvalidEncoding,
        })?;
    Ok((encoding_key, verifying_key))
}

/// `jsonwebtoken` takes RSA keys without the wrapping of PKCS#8. Its own way of
/// unwrapping them, through PEM, would leave copies of the key in memory.
fn rsa_encoding_key(pair: &RsaKeyPair) -> Result<EncodingKey, KeyFault> {
    let pkcs8: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| KeyFault::InvalidEncoding)?;
    pkcs8
        .as_ref()
        .get(PKCS8_RSA_PREFIX_BYTES..)
        .filter(|key| RsaKeyPair::from_der(key).is_ok())
        .map(EncodingKey::from_rsa_der)
        .ok_or(KeyFault::InvalidEncoding)
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
