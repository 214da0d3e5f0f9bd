//! What is taken over of a user beside name and state: the hash of the password, and
//! the identifiers.

use super::hashes::stored;
use super::new_user::TakenOver;
use super::{Adoption, unavailable};
use crate::error::Error;
use crate::model::{ExistingUser, GroupId, HashFormat, Identifier, ImportedHash};
use crate::ports::Holder;

impl Adoption {
    /// What is taken over of a user without a password: a mere digest is wrapped.
    ///
    /// # Errors
    /// The existing database does not answer; too many hashes.
    pub(crate) async fn take_over(
        &self,
        group: &GroupId,
        found_by: &Identifier,
        existing: &ExistingUser,
    ) -> Result<TakenOver, Error> {
        Ok(TakenOver {
            hash: stored(&*self.hasher, existing).await?,
            identifiers: self.unshared(group, found_by, existing).await?,
            failures: 0,
        })
    }

    /// The hash of a user that is a mere digest. What is stored in its place takes a hash,
    /// which the comparison makes.
    pub(crate) fn digest(&self, existing: &ExistingUser) -> Option<ImportedHash> {
        let hash = existing.password.as_ref()?;
        let imported = self.hasher.import(HashFormat::Auto, hash.expose()).ok()?;
        imported.is_digest.then_some(imported)
    }

    /// The identifiers of a user that no other row there has.
    ///
    /// # Errors
    /// The existing database does not answer.
    pub(crate) async fn unshared(
        &self,
        group: &GroupId,
        found_by: &Identifier,
        existing: &ExistingUser,
    ) -> Result<Vec<Identifier>, Error> {
        let mut identifiers = vec![found_by.clone()];
        let others = existing.identifiers.iter().filter(|id| *id != found_by);
        for other in others {
            let Some(users) = self.source(group) else {
                break;
            };
            if let Holder::User(user) = users
                .holder(other)
                .await
                .map_err(|error| unavailable(&error))?
                && user.external_id == existing.external_id
            {
                identifiers.push(other.clone());
            }
        }
        Ok(identifiers)
    }
}
