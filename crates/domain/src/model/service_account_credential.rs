//! What service accounts prove themselves with: secrets, of which a hash is kept, and
//! public keys, whose private halves nobody else has.

use std::fmt;

use aws_lc_rs::constant_time;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_token::Jwk;
use zeroize::Zeroizing;

use crate::model::{KeyHash, OldToken, ServiceAccountCredentialId, SessionId, Timestamp};
use crate::ports::Random;

/// A secret or a key of a service account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccountCredential {
    /// Its id.
    pub id: ServiceAccountCredentialId,
    /// What it is.
    pub kind: ServiceAccountCredentialKind,
    /// The `sid` of the tokens that are got with it, by which all of them are revoked.
    /// It is no session's.
    pub sid: SessionId,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused. `None`: it does not expire.
    pub expires_at: Option<Timestamp>,
}

/// What a credential of a service account is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceAccountCredentialKind {
    /// A secret: its SHA-256. It has 256 random bits, no slower hash is needed.
    Secret(KeyHash),
    /// A public key.
    Key(Box<Jwk>),
    /// What cannot be read. It proves nothing, and can be removed.
    Unreadable,
}

/// The secret by which a service account proves itself: `css_` and 43 letters. Never
/// shown.
pub struct ServiceAccountSecret(Zeroizing<String>);

impl ServiceAccountSecret {
    /// The most bytes of what may be shown as a secret.
    const MAX_BYTES: usize = 256;

    /// A new secret.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        random.fill(&mut *bytes);
        Self(Zeroizing::new(format!(
            "css_{}",
            URL_SAFE_NO_PAD.encode(*bytes)
        )))
    }

    /// What somebody shows as a secret.
    ///
    /// # Errors
    /// What it must be, if it cannot be one.
    pub fn shown(text: String) -> Result<Self, &'static str> {
        let text = Zeroizing::new(text);
        match text.len() {
            1..=Self::MAX_BYTES => Ok(Self(text)),
            _ => Err("must be the secret of a service account, as it was shown when it was made"),
        }
    }

    /// The secret in the clear, to be shown once.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    #[must_use]
    pub fn hash(&self) -> KeyHash {
        KeyHash::of(&self.0)
    }
}

impl fmt::Debug for ServiceAccountSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServiceAccountSecret(..)")
    }
}

impl ServiceAccountCredentialKind {
    /// Reads a public key as it is stored: as a JWK.
    #[must_use]
    pub fn key_from_stored(text: &str) -> Option<Self> {
        let key = text.parse().ok()?;
        Some(Self::Key(Box::new(key)))
    }
}

impl ServiceAccountCredential {
    /// A `sid` that no session has, and no other credential.
    #[must_use]
    pub fn new_sid(random: &dyn Random) -> SessionId {
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        SessionId::of_no_session(bytes)
    }

    /// Whether a `sid` is that of a credential: no session has such a one.
    #[must_use]
    pub fn is_sid(id: SessionId) -> bool {
        OldToken::is_computed(id)
    }

    /// Whether it is good at `now`.
    #[must_use]
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|expires_at| now < expires_at)
    }

    pub(super) fn jwk(&self) -> Option<&Jwk> {
        match &self.kind {
            ServiceAccountCredentialKind::Key(jwk) => Some(jwk),
            ServiceAccountCredentialKind::Secret(_) | ServiceAccountCredentialKind::Unreadable => {
                None
            }
        }
    }

    /// The id of its key, if it is one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.jwk().map(Jwk::kid)
    }

    pub(super) fn is_secret(&self, shown: &KeyHash) -> bool {
        match &self.kind {
            ServiceAccountCredentialKind::Secret(hash) => {
                constant_time::verify_slices_are_equal(hash.as_bytes(), shown.as_bytes()).is_ok()
            }
            ServiceAccountCredentialKind::Key(_) | ServiceAccountCredentialKind::Unreadable => {
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::SeededRandom;

    #[test]
    fn a_secret_is_never_written() {
        let secret = ServiceAccountSecret::generate(&SeededRandom::new(1));
        assert_eq!(secret.expose().len(), 47);
        assert_eq!(format!("{secret:?}"), "ServiceAccountSecret(..)");
        for wrong in [String::new(), "a".repeat(257)] {
            assert!(ServiceAccountSecret::shown(wrong).is_err());
        }
    }
}
