//! Signing and verifying bytes: `jsonwebtoken` on aws-lc, told the algorithm by
//! the key and never by a token.
//!
//! Its signers and verifiers are neither `Send` nor `Sync`, so a key that
//! threads share cannot hold one: one is made for each signature. To verify,
//! that costs next to nothing. To sign, it costs half as much again, and with
//! RSA nothing more: there each signature parses and checks the key anyway,
//! which takes longer than to sign. The provider is named, so that no feature
//! or start-up order can replace it.

use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::errors::Error;
use jsonwebtoken::{DecodingKey, EncodingKey};

use crate::Algorithm;

const fn registered(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
        Algorithm::Hs256 => jsonwebtoken::Algorithm::HS256,
    }
}

/// # Errors
///
/// If the key is not of the algorithm or the crypto library fails.
pub(crate) fn sign(
    algorithm: Algorithm,
    key: &EncodingKey,
    message: &[u8],
) -> Result<Vec<u8>, Error> {
    let signer = (DEFAULT_PROVIDER.signer_factory)(&registered(algorithm), key)?;
    Ok(signer.try_sign(message)?)
}

/// Whether `signature` is over `message`; never, if the key is not of the
/// algorithm.
pub(crate) fn verifies(
    algorithm: Algorithm,
    key: &DecodingKey,
    message: &[u8],
    signature: &Vec<u8>,
) -> bool {
    (DEFAULT_PROVIDER.verifier_factory)(&registered(algorithm), key)
        .is_ok_and(|verifier| verifier.verify(message, signature).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever takes a public key for an HMAC secret lets the world sign.
    #[test]
    fn a_key_of_another_algorithm_neither_signs_nor_verifies() {
        let bytes = [9; 32];
        let hmac_key = EncodingKey::from_secret(&bytes);
        let signature = sign(Algorithm::Hs256, &hmac_key, b"message").expect("a signature");
        let verified = |key| verifies(Algorithm::Hs256, &key, b"message", &signature);
        assert!(verified(DecodingKey::from_secret(&bytes)));
        assert!(!verified(DecodingKey::from_ed_der(&bytes)));
        assert!(!verified(DecodingKey::from_ec_der(&bytes)));
        assert!(!verified(DecodingKey::from_rsa_der(&bytes)));
        for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256] {
            assert!(sign(algorithm, &hmac_key, b"message").is_err());
        }
    }
}
