//! Verifying bytes: `jsonwebtoken` on aws-lc, told the algorithm by the key and
//! never by a token.
//!
//! Its verifiers are neither `Send` nor `Sync`, so a key that threads share
//! cannot hold one: one is made for each signature, which costs next to nothing.
//! The provider is named, so that no feature or start-up order can replace it.

use jsonwebtoken::DecodingKey;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;

use crate::Algorithm;

const fn registered(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
        Algorithm::Hs256 => jsonwebtoken::Algorithm::HS256,
    }
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
    use aws_lc_rs::hmac;

    use super::*;

    /// Whoever takes a public key for an HMAC secret lets the world sign.
    #[test]
    fn a_key_of_another_algorithm_never_verifies() {
        let bytes = [9; 32];
        let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
        let signature = hmac::sign(&key, b"message").as_ref().to_vec();
        let verified = |key| verifies(Algorithm::Hs256, &key, b"message", &signature);
        assert!(verified(DecodingKey::from_secret(&bytes)));
        assert!(!verified(DecodingKey::from_ed_der(&bytes)));
        assert!(!verified(DecodingKey::from_ec_der(&bytes)));
        assert!(!verified(DecodingKey::from_rsa_der(&bytes)));
    }
}
