//! Private keys in the form in which they sign: read and checked once, then used
//! by any number of threads.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RsaKeyPair, RsaPublicKeyComponents,
};
use aws_lc_rs::{error, hmac, rand};
use zeroize::Zeroizing;

use crate::public_key::PublicKey;
use crate::{Algorithm, KeyFault};

/// RFC 7518 section 3.2: an HS256 key is no shorter than the hash.
const MIN_HMAC_SECRET_BYTES: usize = 32;

/// A private or symmetric key of one algorithm. It signs by no other.
pub(crate) enum PrivateKey {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    Rsa(RsaKeyPair),
    Hmac(Box<hmac::Key>),
}

/// What others know of a key.
pub(crate) enum PublicHalf<'a> {
    Public(PublicKey),
    /// Nothing: whoever can verify can also sign.
    Symmetric(&'a hmac::Key),
}

impl PrivateKey {
    /// Reads PKCS#8 DER or, for HS256, the bytes of the secret.
    ///
    /// # Errors
    ///
    /// What is wrong with it. Whether the public half is a safe one is checked
    /// there.
    pub(crate) fn from_secret(algorithm: Algorithm, secret: &[u8]) -> Result<Self, KeyFault> {
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
            Algorithm::Hs256 => Self::of_foreign_secret(secret),
        }
    }

    /// An HMAC key of any length but none.
    ///
    /// # Errors
    ///
    /// If it is empty.
    pub(crate) fn of_foreign_secret(secret: &[u8]) -> Result<Self, KeyFault> {
        if secret.is_empty() {
            return Err(KeyFault::ShortSecret);
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        Ok(Self::Hmac(Box::new(key)))
    }

    /// A new secret, for [`from_secret`](Self::from_secret). PKCS#8 is written in
    /// version 1, which every other library reads.
    ///
    /// # Errors
    ///
    /// If the crypto library fails.
    #[expect(
        clippy::disallowed_methods,
        reason = "keys are made by the crypto library's own generator"
    )]
    pub(crate) fn generate_secret(
        algorithm: Algorithm,
    ) -> Result<Zeroizing<Vec<u8>>, error::Unspecified> {
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

    /// The half that verifies.
    ///
    /// # Errors
    ///
    /// If it is not written as it should be.
    pub(crate) fn public_half(&self) -> Result<PublicHalf<'_>, KeyFault> {
        Ok(PublicHalf::Public(match self {
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
            Self::Hmac(key) => return Ok(PublicHalf::Symmetric(key)),
        }))
    }

    /// The signature over `message`, as JWS writes it (RFC 7518, RFC 8037).
    ///
    /// # Errors
    ///
    /// If the crypto library fails.
    #[expect(
        clippy::disallowed_methods,
        reason = "the crypto library asks for its own generator in signatures that need one"
    )]
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, error::Unspecified> {
        Ok(match self {
            Self::Ed25519(pair) => pair.try_sign(message)?.as_ref().to_vec(),
            Self::P256(pair) => pair
                .sign(&rand::SystemRandom::new(), message)?
                .as_ref()
                .to_vec(),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let rng = rand::SystemRandom::new();
                pair.sign(&RSA_PKCS1_SHA256, &rng, message, &mut signature)?;
                signature
            }
            Self::Hmac(key) => hmac::sign(key, message).as_ref().to_vec(),
        })
    }
}

fn fixed(bytes: &[u8]) -> Result<[u8; 32], KeyFault> {
    bytes.try_into().map_err(|_| KeyFault::InvalidEncoding)
}
