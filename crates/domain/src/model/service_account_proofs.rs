//! Which credential of a service account is shown: a secret by its hash, a key by its id.

use countersign_token::VerifyingKey;

use crate::model::{
    ServiceAccount, ServiceAccountCredential, ServiceAccountCredentialKind, ServiceAccountSecret,
    Timestamp,
};

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
    use crate::model::{GroupId, ServiceAccountCredentialId, ServiceAccountId, SessionId};
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
}
