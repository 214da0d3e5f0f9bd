//! Keeping the places of signing keys filled.
//!
//! A row that cannot be read stands in nobody's way: it is replaced where its
//! place is needed, and can be revoked like any other.

use countersign_token::{Algorithm, SigningKey};

use crate::error::Error;
use crate::model::{
    AuditAction, AuditEvent, KeyState, Origin, SealedSigningKey, SealingKey, Timestamp,
};
use crate::ports::{Clock, Random, Store, UnitOfWork};
use crate::validation::{self, KeyringError};

/// What the keepers of keys work with.
#[derive(Clone, Copy)]
pub struct KeyKeeper<'a> {
    /// Where the keys are kept.
    pub store: &'a dyn Store,
    /// Seals them.
    pub sealing: &'a SealingKey,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Randomness.
    pub random: &'a dyn Random,
    /// The algorithm of new keys.
    pub algorithm: Algorithm,
    /// Where the command comes from.
    pub origin: &'a Origin,
}

impl KeyKeeper<'_> {
    /// Makes sure that this is the master key of the keys, by reading one.
    ///
    /// # Errors
    /// If there are keys, and none can be read.
    pub fn check(&self, keys: &[SealedSigningKey]) -> Result<(), KeyringError> {
        if self.usable(keys).is_empty() && !keys.is_empty() {
            return Err(KeyringError::AllDamaged(keys.len()));
        }
        Ok(())
    }

    /// Those of the keys that can be read.
    pub(crate) fn usable<'k>(&self, keys: &'k [SealedSigningKey]) -> Vec<&'k SealedSigningKey> {
        keys.iter()
            .filter(|row| validation::read_key(row, self.sealing).is_ok())
            .collect()
    }

    /// Whether there is a key that signs, and one of the configured algorithm
    /// that signs next.
    pub(crate) fn is_complete(&self, usable: &[&SealedSigningKey]) -> bool {
        let has = |state| usable.iter().any(|key| key.state == state);
        let is_next = |key: &&&SealedSigningKey| {
            key.state == KeyState::Next && key.algorithm == self.algorithm
        };
        has(KeyState::Active) && usable.iter().any(|key| is_next(&key))
    }

    /// Removes a key, if one is named, and fills the places of the active and
    /// the next key where no usable one holds them.
    pub(crate) async fn fill(
        &self,
        usable: &[&SealedSigningKey],
        removed: Option<&str>,
    ) -> Result<(), Error> {
        let active = usable.iter().find(|key| key.state == KeyState::Active);
        let next = usable.iter().find(|key| key.state == KeyState::Next);
        let mut uow = self.store.begin().await?;
        if let Some(kid) = removed {
            if !uow.delete_signing_key(kid).await? {
                return Err(Error::invalid("kid", "must be that of a signing key"));
            }
            let revoked = self.event(AuditAction::SigningKeyRevoked, kid);
            uow.insert_audit_event(&revoked).await?;
        }
        let mut next = next.copied();
        if active.is_none() {
            uow.clear_signing_key_state(KeyState::Active).await?;
            match next.take() {
                Some(next) => {
                    uow.move_signing_key(&next.kid, KeyState::Next, KeyState::Active, None)
                        .await?;
                    let rotated = self.event(AuditAction::SigningKeyRotated, &next.kid);
                    uow.insert_audit_event(&rotated).await?;
                }
                None => self.insert(&mut *uow, KeyState::Active).await?,
            }
        }
        if next.is_none_or(|next| next.algorithm != self.algorithm) {
            uow.clear_signing_key_state(KeyState::Next).await?;
            self.insert(&mut *uow, KeyState::Next).await?;
        }
        Ok(uow.commit().await?)
    }

    pub(crate) async fn insert(
        &self,
        uow: &mut dyn UnitOfWork,
        state: KeyState,
    ) -> Result<(), Error> {
        let key = SigningKey::generate(self.algorithm)
            .map_err(|error| Error::Internal(error.to_string()))?;
        let now: Timestamp = self.clock.now();
        let sealed = self.sealing.seal(key.kid(), key.secret(), self.random);
        uow.insert_signing_key(&SealedSigningKey {
            kid: key.kid().to_owned(),
            algorithm: self.algorithm,
            state,
            sealed,
            created_at: now,
            expires_at: None,
        })
        .await?;
        let created = self.event(AuditAction::SigningKeyCreated, key.kid());
        let created = created.with_detail(state.as_str());
        uow.insert_audit_event(&created).await?;
        Ok(())
    }

    /// An entry of the audit log about something that is done to a key now.
    pub(crate) fn event(&self, action: AuditAction, kid: &str) -> AuditEvent {
        let now = self.clock.now();
        AuditEvent::new(action, self.origin.clone(), now, self.random).named(kid)
    }
}

impl std::fmt::Debug for KeyKeeper<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyKeeper")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}
