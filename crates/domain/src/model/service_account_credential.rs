//! What service accounts prove themselves with: secrets, of which a hash is kept, and
//! public keys, whose private halves nobody else has.

use std::fmt;

use aws_lc_rs::constant_time;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_token::{Jwk, VerifyingKey};
use zeroize::Zeroizing;

use crate::model::{
    KeyHash, OldToken, ServiceAccount, ServiceAccountCredentialId, SessionId, Timestamp,
};
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

    fn jwk(&self) -> Option<&Jwk> {
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

    fn is_secret(&self, shown: &KeyHash) -> bool {
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

impl ServiceAccount {
    /// The credential whose secret is shown, if it is good at `now`. Every one is
    /// compared.
    #[must_use]
    pub fn by_secret(
        &self,
        shown: &ServiceAccountSecret,
        now: Timestamp,
    ) -> Option<&ServiceAccountCredential> {
        let shown = shown.hash();
        let good = self.credentials.iter().filter(|one| one.is_good(now));
        good.fold(None, |found, one| match one.is_secret(&shown) {
            true => Some(one),
            false => found,
        })
    }

    /// The keys that verify its assertions at `now`.
    #[must_use]
    pub fn verifying_keys(&self, now: Timestamp) -> Vec<VerifyingKey> {
        let good = self.credentials.iter().filter(|one| one.is_good(now));
        let keys = good.filter_map(ServiceAccountCredential::jwk);
        keys.filter_map(|jwk| VerifyingKey::from_jwk(jwk).ok())
            .collect()
    }

    /// The credential whose key has this id.
    #[must_use]
    pub fn by_kid(&self, kid: &str) -> Option<&ServiceAccountCredential> {
        let mut credentials = self.credentials.iter();
        credentials.find(|credential| credential.kid() == Some(kid))
    }

    /// How many secrets it has, and how many keys. One that cannot be read may be
    /// either.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        let count = |is_one: fn(&ServiceAccountCredentialKind) -> bool| {
            let kinds = self.credentials.iter().map(|one| &one.kind);
            kinds.filter(|kind| is_one(kind)).count()
        };
        (
            count(|kind| !matches!(kind, ServiceAccountCredentialKind::Key(_))),
            count(|kind| !matches!(kind, ServiceAccountCredentialKind::Secret(_))),
        )
    }
}

#[cfg(test)]
mod tests {
    use countersign_token::{Algorithm, SigningKey};

    use super::*;
    use crate::model::{GroupId, ServiceAccountId};
    use crate::testing::SeededRandom;

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

    fn credential(
        random: &SeededRandom,
        kind: ServiceAccountCredentialKind,
        expires_at: Option<Timestamp>,
    ) -> ServiceAccountCredential {
        ServiceAccountCredential {
            id: ServiceAccountCredentialId::generate(NOW, random),
            kind,
            sid: ServiceAccountCredential::new_sid(random),
            created_at: NOW,
            expires_at,
        }
    }

    #[test]
    fn a_secret_is_found_until_it_expires() {
        let random = SeededRandom::new(1);
        let secrets: Vec<_> = (0..3)
            .map(|_| ServiceAccountSecret::generate(&random))
            .collect();
        let id = ServiceAccountId::generate(NOW, &random);
        let mut account = ServiceAccount::new(id, GroupId::fallback(), NOW);
        for (secret, expires_at) in secrets.iter().zip([None, Some(NOW)]) {
            let kind = ServiceAccountCredentialKind::Secret(secret.hash());
            let one = credential(&random, kind, expires_at);
            account.credentials.push(one);
        }
        let unreadable = ServiceAccountCredentialKind::Unreadable;
        let unreadable = credential(&random, unreadable, None);
        account.credentials.push(unreadable);
        let found = |secret: &ServiceAccountSecret, now| {
            let found = account.by_secret(secret, now);
            found.map(|one| one.id)
        };
        let ids: Vec<_> = account.credentials.iter().map(|one| one.id).collect();
        assert_eq!(found(&secrets[0], NOW), Some(ids[0]));
        assert_eq!(found(&secrets[1], NOW), None);
        let before = Timestamp::from_millis(NOW.as_millis() - 1);
        assert_eq!(found(&secrets[1], before), Some(ids[1]));
        assert_eq!(found(&secrets[2], NOW), None);
        assert_eq!(account.counts(), (3, 1));
    }

    #[test]
    fn keys_verify_until_they_expire() {
        let random = SeededRandom::new(1);
        let id = ServiceAccountId::generate(NOW, &random);
        let mut account = ServiceAccount::new(id, GroupId::fallback(), NOW);
        for expires_at in [None, Some(NOW)] {
            let key = SigningKey::generate(Algorithm::EdDsa).expect("a key");
            let jwk = key.verifying_key().to_jwk().expect("a public key");
            let kind = ServiceAccountCredentialKind::Key(Box::new(jwk));
            let one = credential(&random, kind, expires_at);
            account.credentials.push(one);
        }
        let lasting = account.credentials[0].kid().expect("a key").to_owned();
        let keys = account.verifying_keys(NOW);
        let kids: Vec<_> = keys.iter().map(VerifyingKey::kid).collect();
        assert_eq!(kids, [lasting.as_str()]);
        assert_eq!(account.by_kid(&lasting), account.credentials.first());
        assert_eq!(account.counts(), (0, 2));
    }

    #[test]
    fn a_disabled_account_has_no_sid_of_before_and_sids_are_no_sessions() {
        let random = SeededRandom::new(1);
        let id = ServiceAccountId::generate(NOW, &random);
        let mut account = ServiceAccount::new(id, GroupId::fallback(), NOW);
        let unreadable = ServiceAccountCredentialKind::Unreadable;
        account.credentials = vec![credential(&random, unreadable, None)];
        let before = account.sids();
        account.disable(&random);
        assert!(account.is_disabled);
        assert!(!before.contains(&account.sids()[0]));
        let session = SessionId::generate(NOW, &random);
        assert!(!ServiceAccountCredential::is_sid(session));
        for sid in before.into_iter().chain(account.sids()) {
            assert!(ServiceAccountCredential::is_sid(sid), "{sid}");
        }
    }

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
