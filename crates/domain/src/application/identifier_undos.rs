//! Writing down changes of addresses so that they can be undone, and holding
//! addresses for the users who had them.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::application::Settings;
use crate::error::{Error, Refusal};
use crate::model::{
    Address, GroupId, HeldDigest, IdentifierChange, IdentifierUndo, SealingKey, Secrets,
    UndoDigest, UndoToken, User,
};
use crate::ports::{Clock, Content, Random, StoreError, UnitOfWork};

/// The longest `undo_time` that can be set: no notice promised more, a damaged row may.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3_600);

/// Writes and reads what undoes changes of addresses.
pub struct IdentifierUndos {
    key: SealingKey,
    held: hmac::Key,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    settings: Arc<Settings>,
}

impl IdentifierUndos {
    pub(crate) fn new(
        secrets: &Secrets,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        settings: Arc<Settings>,
    ) -> Self {
        Self {
            key: secrets.undos.clone(),
            held: secrets.held.clone(),
            clock,
            random,
            settings,
        }
    }

    /// Gives a user an address that was proved.
    ///
    /// # Errors
    /// An address that is somebody's, or is held for somebody.
    pub(crate) async fn claim(
        &self,
        uow: &mut dyn UnitOfWork,
        user: &User,
        address: &Address,
    ) -> Result<(), Error> {
        let inserted = uow.insert_identifier(user, &address.clone().into()).await;
        inserted.map_err(|error| match error {
            StoreError::Taken => Refusal::IdentifierTaken.into(),
            other => Error::from(other),
        })?;
        // Afterwards: whoever gave it up at the same time has made us wait until it
        // was held.
        let held = self.held_digest(&user.group, address);
        if uow
            .is_identifier_held(&held, user.id, self.clock.now())
            .await?
        {
            return Err(Refusal::IdentifierTaken.into());
        }
        Ok(())
    }

    /// Those of the addresses that are held for somebody.
    pub(crate) async fn held(
        &self,
        uow: &mut dyn UnitOfWork,
        group: &GroupId,
        addresses: &[Address],
    ) -> Result<BTreeSet<Address>, Error> {
        let digests = addresses.iter();
        let digests: Vec<_> = digests
            .map(|address| self.held_digest(group, address))
            .collect();
        let found = uow.held_addresses(&digests, self.clock.now()).await?;
        let found: BTreeSet<_> = found.into_iter().collect();
        let pairs = addresses.iter().zip(&digests);
        let held = pairs.filter(|(_, digest)| found.contains(digest));
        Ok(held.map(|(address, _)| address.clone()).collect())
    }

    /// Writes a change down, and returns what its notice says.
    pub(crate) async fn record(
        &self,
        uow: &mut dyn UnitOfWork,
        user: &User,
        change: &IdentifierChange,
    ) -> Result<Content, Error> {
        let token = UndoToken::generate(&*self.random);
        let digest = token.digest();
        let plain = serde_json::to_vec(change)
            .map(Zeroizing::new)
            .map_err(|error| Error::Internal(format!("a change cannot be written: {error}")))?;
        let now = self.clock.now();
        // Any undo restores the addresses from before all changes: what is given up now
        // is held as long as an earlier notice promised that.
        let earlier = uow.last_undo_expiry(user.id).await?;
        let earlier = earlier.map_or(now, |earlier| earlier.min(now.plus(LONGEST)));
        let undo = IdentifierUndo {
            digest,
            user_id: user.id,
            held: change
                .removed
                .as_ref()
                .map(|address| self.held_digest(&user.group, address)),
            sealed: self.key.seal(&name(digest, user), &plain, &*self.random),
            created_at: now,
            expires_at: now.plus(self.settings.undo_time).max(earlier),
        };
        uow.insert_identifier_undo(&undo).await?;
        Ok(Content::IdentifierChanged {
            kind: change.kind(),
            masked: change.masked(),
            token,
            expires_at: undo.expires_at,
        })
    }

    /// The change that was written down.
    ///
    /// # Errors
    /// If it is damaged, or of another master key.
    pub(crate) fn open(
        &self,
        user: &User,
        undo: &IdentifierUndo,
    ) -> Result<IdentifierChange, Error> {
        let damaged = |what: &dyn fmt::Display| {
            Error::Internal(format!(
                "identifier_undos: a change of user {}: {what}",
                user.id
            ))
        };
        let plain = self
            .key
            .open(&name(undo.digest, user), &undo.sealed)
            .map_err(|error| damaged(&error))?;
        serde_json::from_slice(&plain).map_err(|error| damaged(&error))
    }

    /// What is kept of an address that is held.
    fn held_digest(&self, group: &GroupId, address: &Address) -> HeldDigest {
        let mut context = hmac::Context::with_key(&self.held);
        for part in [group.as_str(), address.kind().as_str(), address.as_str()] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        let tag = context.sign();
        HeldDigest::from_bytes(tag.as_ref().try_into().expect("HMAC-SHA-256 has 32 bytes"))
    }
}

/// What a change is sealed under: a row that was copied to another user or token
/// opens nothing.
fn name(digest: UndoDigest, user: &User) -> String {
    format!("identifier undo:{}:{}", user.id, digest.to_text())
}

impl fmt::Debug for IdentifierUndos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentifierUndos(..)")
    }
}
