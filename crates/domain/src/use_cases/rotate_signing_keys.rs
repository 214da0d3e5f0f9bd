//! Letting the next signing key sign.

use std::time::Duration;

use crate::application::KeyKeeper;
use crate::error::Error;
use crate::model::{AuditAction, KeyState};
use crate::ports::StoreError;

/// Lets the next key sign.
#[derive(Debug)]
pub struct RotateSigningKeys {
    /// How long the key that signed is kept: until its last token expires.
    pub retired_for: Duration,
    /// Rotate only if the last rotation, in which the next key was made, is at
    /// least this long ago.
    pub if_older_than: Duration,
    /// How long every replica may take to read the next key before it signs.
    pub known_after: Duration,
}

/// What became of a rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotated {
    /// The next key signs.
    Yes,
    /// It is not time yet.
    NotDue,
    /// The next key is too young: not every replica knows it yet.
    TooYoung {
        /// When it will be old enough.
        again_in: Duration,
    },
    /// Another replica was faster.
    Elsewhere,
}

impl RotateSigningKeys {
    /// Rotates, and tells whether it did: with several replicas, one does.
    ///
    /// # Errors
    /// If the keys cannot be changed.
    pub async fn execute(self, keeper: KeyKeeper<'_>) -> Result<Rotated, Error> {
        let keys = keeper.store.signing_keys().await?;
        let usable = keeper.usable(&keys);
        let now = keeper.clock.now();
        let find = |state| usable.iter().find(|key| key.state == state);
        let (Some(active), Some(next)) = (find(KeyState::Active), find(KeyState::Next)) else {
            return Ok(Rotated::NotDue);
        };
        let age = now.since(next.created_at);
        if age < self.if_older_than {
            return Ok(Rotated::NotDue);
        }
        if age < self.known_after {
            let again_in = self.known_after - age;
            return Ok(Rotated::TooYoung { again_in });
        }
        let rotate = async {
            let mut uow = keeper.store.begin().await?;
            let expires_at = Some(now.plus(self.retired_for));
            let rotated = uow
                .move_signing_key(&active.kid, KeyState::Active, KeyState::Retired, expires_at)
                .await?
                && uow
                    .move_signing_key(&next.kid, KeyState::Next, KeyState::Active, None)
                    .await?;
            if rotated {
                keeper.insert(&mut *uow, KeyState::Next).await?;
                let event = keeper.event(AuditAction::SigningKeyRotated, &next.kid);
                uow.insert_audit_event(&event).await?;
                uow.commit().await?;
            }
            Ok(rotated)
        };
        match rotate.await {
            Ok(true) => Ok(Rotated::Yes),
            Ok(false) | Err(Error::Store(StoreError::Taken | StoreError::Conflict)) => {
                Ok(Rotated::Elsewhere)
            }
            Err(error) => Err(error),
        }
    }
}
