//! The addresses of people who have left: they may not join again for a time, whether
//! or not the personal data is erased by then.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lc_rs::hmac;

use crate::application::IdentifierUndos;
use crate::error::{Error, Refusal};
use crate::model::{
    Address, GroupId, Identifier, Secrets, Timestamp, Tombstone, TombstoneDigest, User, UserState,
};
use crate::ports::{Clock, UnitOfWork};

/// Knows who may join again.
pub struct Rejoining {
    key: hmac::Key,
    clock: Arc<dyn Clock>,
}

impl Rejoining {
    pub(crate) fn new(secrets: &Secrets, clock: Arc<dyn Clock>) -> Self {
        Self {
            key: secrets.tombstones.clone(),
            clock,
        }
    }

    /// The user who holds an identifier, locked. One who has left holds none once it may
    /// join again: it is taken away then.
    ///
    /// # Errors
    /// A holder who has left, and may not join again yet.
    pub(crate) async fn holder(
        &self,
        uow: &mut dyn UnitOfWork,
        group: &GroupId,
        identifier: &Identifier,
    ) -> Result<Option<User>, Error> {
        let Some(holder) = uow.lock_user_by_identifier(group, identifier).await? else {
            return Ok(None);
        };
        let UserState::Withdrawn(withdrawal) = &holder.state else {
            return Ok(Some(holder));
        };
        if !holder.state.may_rejoin(self.clock.now()) {
            return Err(refusal(withdrawal.at, withdrawal.rejoin_at));
        }
        uow.delete_identifier(&holder, identifier).await?;
        Ok(None)
    }

    /// Gives a user an address that was proved.
    ///
    /// # Errors
    /// An address that is somebody's, or is held for somebody; that of somebody who has
    /// left, and may not join again yet.
    pub(crate) async fn claim(
        &self,
        uow: &mut dyn UnitOfWork,
        undos: &IdentifierUndos,
        user: &User,
        address: &Address,
    ) -> Result<(), Error> {
        let identifier = address.clone().into();
        if self.holder(uow, &user.group, &identifier).await?.is_some() {
            return Err(Refusal::IdentifierTaken.into());
        }
        undos.claim(uow, user, address).await?;
        // Afterwards: whoever is erased at the same time has made us wait.
        let digest = self.digest(&user.group, address);
        match uow.tombstone(&digest, self.clock.now()).await? {
            Some(tombstone) => Err(refusal(tombstone.withdrawn_at, tombstone.expires_at)),
            None => Ok(()),
        }
    }

    /// Which of the addresses are of people who have left, and may not join again yet,
    /// of whom nothing else is left; and what is said of them.
    pub(crate) async fn waiting(
        &self,
        uow: &mut dyn UnitOfWork,
        group: &GroupId,
        addresses: &[Address],
    ) -> Result<BTreeMap<Address, Refusal>, Error> {
        let digests = addresses.iter().map(|address| self.digest(group, address));
        let digests: Vec<_> = digests.collect();
        let found = uow.tombstones(&digests, self.clock.now()).await?;
        let found: BTreeMap<_, _> = found.iter().map(|stone| (stone.digest, stone)).collect();
        let pairs = addresses.iter().zip(&digests);
        let waiting = pairs.filter_map(|(address, digest)| {
            let stone = found.get(digest)?;
            let (at, rejoin_at) = (stone.withdrawn_at, stone.expires_at);
            Some((address.clone(), Refusal::UserWithdrawn { at, rejoin_at }))
        });
        Ok(waiting.collect())
    }

    /// Keeps what is left of the addresses of a user who is deleted or erased, if it has
    /// left and may not join again yet.
    pub(crate) async fn bury(&self, uow: &mut dyn UnitOfWork, user: &User) -> Result<(), Error> {
        let UserState::Withdrawn(withdrawal) = &user.state else {
            return Ok(());
        };
        if withdrawal.erased || user.state.may_rejoin(self.clock.now()) {
            return Ok(());
        }
        for identifier in uow.identifiers_of(user.id).await? {
            let Some(address) = identifier.address() else {
                continue;
            };
            uow.put_tombstone(&Tombstone {
                digest: self.digest(&user.group, &address),
                withdrawn_at: withdrawal.at,
                expires_at: withdrawal.rejoin_at,
            })
            .await?;
        }
        Ok(())
    }

    fn digest(&self, group: &GroupId, address: &Address) -> TombstoneDigest {
        let mut context = hmac::Context::with_key(&self.key);
        for part in [group.as_str(), address.kind().as_str(), address.as_str()] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        let tag = context.sign();
        let bytes = tag.as_ref().try_into().expect("HMAC-SHA-256 has 32 bytes");
        TombstoneDigest::from_bytes(bytes)
    }
}

fn refusal(at: Timestamp, rejoin_at: Timestamp) -> Error {
    Refusal::UserWithdrawn { at, rejoin_at }.into()
}

impl std::fmt::Debug for Rejoining {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rejoining(..)")
    }
}
