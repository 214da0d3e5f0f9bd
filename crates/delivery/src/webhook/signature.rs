//! The signature of Standard Webhooks, version 1: HMAC-SHA256 over id, timestamp
//! and body.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};

/// A secret, ready to sign.
pub(super) struct Secret(hmac::Key);

/// Why a webhook cannot be signed or reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The secret is none.
    #[error("must be whsec_ and 24 to 64 random bytes in base64")]
    Secret,
    /// The URL is none.
    #[error("must be a URL")]
    Url,
}

impl Secret {
    pub(super) fn read(secret: &SecretString) -> Result<Self, SecretError> {
        let text = secret.expose_secret().strip_prefix("whsec_");
        let bytes = text.and_then(|text| STANDARD.decode(text).ok());
        let bytes = bytes.map(zeroize::Zeroizing::new);
        let bytes = bytes.filter(|bytes| (24..=64).contains(&bytes.len()));
        let bytes = bytes.ok_or(SecretError::Secret)?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// `v1,` and the signature in base64.
    pub(super) fn sign(&self, id: &str, timestamp: &str, body: &str) -> String {
        let text = format!("{id}.{timestamp}.{body}");
        let signature = hmac::sign(&self.0, text.as_bytes());
        format!("v1,{}", STANDARD.encode(signature))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_vector() {
        let secret = SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let secret = Secret::read(&secret).expect("a secret");
        let signature = secret.sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            "{\"test\": 2432232314}",
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_that_is_short_or_has_no_prefix_is_refused() {
        for text in [
            "whsec_c2hvcnQ=",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_!",
        ] {
            let read = Secret::read(&SecretString::from(text));
            assert_eq!(read.err(), Some(SecretError::Secret), "{text}");
        }
    }
}
