//! The life of signing keys: next, active, retired, gone.
//!
//! These run before there is an [`Application`](crate::Application) too, so
//! they take what they need.

use std::time::Duration;

use countersign_token::{Algorithm, SigningKey};

use crate::error::Error;
use crate::model::{KeyState, MasterKey, SealedSigningKey, Timestamp};
use crate::ports::{Clock, Random, Store, StoreError, UnitOfWork};

/// What the keepers of keys work with.
#[derive(Clone, Copy)]
pub struct KeyKeeper<'a> {
    /// Where the keys are kept.
    pub store: &'a dyn Store,
    /// Seals them.
    pub master_key: &'a MasterKey,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Randomness.
    pub random: &'a dyn Random,
    /// The algorithm of new keys.
    pub algorithm: Algorithm,
}

/// Makes the keys that are missing.
#[derive(Debug)]
pub struct EnsureKeys;

/// Lets the next key sign.
#[derive(Debug)]
pub struct RotateKeys {
    /// How long the key that signed is needed: until its last token expires.
    pub needed_for: Duration,
    /// Rotate only if the last rotation, in which the next key was made, is at
    /// least this long ago.
    pub if_older_than: Duration,
}

/// Removes a key at once, since somebody else has it.
#[derive(Debug)]
pub struct RevokeKey {
    /// Its `kid`.
    pub kid: String,
}

impl EnsureKeys {
    /// Makes an active and a next key if there is none, and returns all keys.
    /// A next key of another algorithm than the configured one is replaced.
    ///
    /// # Errors
    /// If the keys cannot be made or kept.
    pub async fn execute(self, keeper: KeyKeeper<'_>) -> Result<Vec<SealedSigningKey>, Error> {
        let keys = keeper.store.signing_keys().await?;
        let next = keys.iter().find(|key| key.state == KeyState::Next);
        let has_active = keys.iter().any(|key| key.state == KeyState::Active);
        if has_active && next.is_some_and(|next| next.algorithm == keeper.algorithm) {
            return Ok(keys);
        }
        let mut uow = keeper.store.begin().await?;
        if let Some(next) = next.filter(|next| next.algorithm != keeper.algorithm) {
            uow.delete_signing_key(&next.kid).await?;
        }
        let made = async {
            if !has_active {
                keeper.insert(&mut *uow, KeyState::Active).await?;
            }
            if next.is_none_or(|next| next.algorithm != keeper.algorithm) {
                keeper.insert(&mut *uow, KeyState::Next).await?;
            }
            Ok::<(), Error>(())
        };
        match made.await {
            Ok(()) => match uow.commit().await {
                Ok(()) | Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            },
            // Another server was faster: its keys are as good.
            Err(Error::Unavailable(_)) => drop(uow),
            Err(error) => return Err(error),
        }
        Ok(keeper.store.signing_keys().await?)
    }
}

impl RotateKeys {
    /// Rotates, and tells whether it did: with several servers, one does.
    ///
    /// # Errors
    /// If the keys cannot be changed.
    pub async fn execute(self, keeper: KeyKeeper<'_>) -> Result<bool, Error> {
        let keys = keeper.store.signing_keys().await?;
        let now = keeper.clock.now();
        let find = |state| keys.iter().find(|key| key.state == state);
        let (Some(active), Some(next)) = (find(KeyState::Active), find(KeyState::Next)) else {
            return Ok(false);
        };
        if now.since(next.created_at) < self.if_older_than {
            return Ok(false);
        }
        let mut uow = keeper.store.begin().await?;
        let expires_at = Some(now.plus(self.needed_for));
        let rotated = uow
            .move_signing_key(&active.kid, KeyState::Active, KeyState::Retired, expires_at)
            .await?
            && uow
                .move_signing_key(&next.kid, KeyState::Next, KeyState::Active, None)
                .await?;
        if rotated {
            keeper.insert(&mut *uow, KeyState::Next).await?;
            uow.commit().await?;
        }
        Ok(rotated)
    }
}

impl RevokeKey {
    /// Removes the key; if it signed, the next one takes over. Tells whether
    /// there was such a key.
    ///
    /// # Errors
    /// If the keys cannot be changed.
    pub async fn execute(self, keeper: KeyKeeper<'_>) -> Result<bool, Error> {
        let keys = keeper.store.signing_keys().await?;
        let Some(revoked) = keys.iter().find(|key| key.kid == self.kid) else {
            return Ok(false);
        };
        let mut uow = keeper.store.begin().await?;
        uow.delete_signing_key(&revoked.kid).await?;
        let next = keys
            .iter()
            .find(|key| key.state == KeyState::Next && key.kid != revoked.kid);
        if revoked.state == KeyState::Active {
            match next {
                Some(next) => {
                    uow.move_signing_key(&next.kid, KeyState::Next, KeyState::Active, None)
                        .await?;
                }
                None => keeper.insert(&mut *uow, KeyState::Active).await?,
            }
        }
        if revoked.state != KeyState::Retired {
            keeper.insert(&mut *uow, KeyState::Next).await?;
        }
        uow.commit().await?;
        Ok(true)
    }
}

impl KeyKeeper<'_> {
    async fn insert(&self, uow: &mut dyn UnitOfWork, state: KeyState) -> Result<(), Error> {
        let key = SigningKey::generate(self.algorithm)
            .map_err(|error| Error::Internal(error.to_string()))?;
        let now: Timestamp = self.clock.now();
        let sealed = self.master_key.seal(key.kid(), key.secret(), self.random);
        uow.insert_signing_key(&SealedSigningKey {
            kid: key.kid().to_owned(),
            algorithm: self.algorithm,
            state,
            sealed,
            created_at: now,
            expires_at: None,
        })
        .await?;
        Ok(())
    }
}

impl std::fmt::Debug for KeyKeeper<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyKeeper")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}
