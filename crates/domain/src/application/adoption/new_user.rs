//! The user that is made of a row of an existing database.

use std::time::Duration;

use crate::application::IdentifierUndos;
use crate::error::{Error, Refusal};
use crate::model::{
    ExistingUser, ExternalId, GroupId, Identifier, ImportedState, PasswordCredential, PasswordHash,
    PersonName, Timestamp, User, UserId, UserState,
};
use crate::ports::{StoreError, UnitOfWork};

/// What is taken over of a user.
pub(crate) struct TakenOver {
    /// The hash that is stored. A mere digest never is.
    pub(crate) hash: Option<PasswordHash>,
    /// The identifiers that no other row there has.
    pub(crate) identifiers: Vec<Identifier>,
    /// Failed attempts at the password.
    pub(crate) failures: u32,
}

/// A user who is being adopted.
pub(super) struct Adopting<'a> {
    pub(super) group: &'a GroupId,
    pub(super) id: &'a ExternalId,
    pub(super) found_by: &'a Identifier,
    pub(super) existing: &'a ExistingUser,
    pub(super) state: UserState,
    /// Of the identifiers, those that are not found to be somebody's yet.
    pub(super) taken_over: TakenOver,
}

impl Adopting<'_> {
    /// Adds the user with all that is its own, but for identifiers that are somebody's
    /// here. Tells whether the one that it was found by is its own.
    ///
    /// # Errors
    /// A group that is gone; a conflict, if somebody was faster; what is left out then is left out from now on.
    pub(super) async fn insert(
        &mut self,
        uow: &mut dyn UnitOfWork,
        undos: &IdentifierUndos,
        id: UserId,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let mut user = User::active(id, self.group.clone(), now);
        user.external_id = Some(self.id.clone());
        user.state = self.state.clone();
        let name = self.existing.name.as_deref();
        user.profile.name = name.and_then(|name| PersonName::parse(name).ok());
        if !uow.hold_group(self.group).await? {
            return Err(Refusal::Group.into());
        }
        uow.insert_user(&user).await.map_err(faster)?;
        for identifier in self.taken_over.identifiers.clone() {
            let holder = uow.lock_user_by_identifier(self.group, &identifier);
            if holder.await?.is_some() {
                self.leave_out(&identifier);
                continue;
            }
            let inserted = match identifier.address() {
                Some(address) => undos.claim(uow, &user, &address).await,
                None => {
                    let inserted = uow.insert_identifier(&user, &identifier).await;
                    inserted.map_err(faster)
                }
            };
            match inserted {
                Err(Error::Refused(Refusal::IdentifierTaken)) => {
                    // Held for somebody: the unit of work is begun anew without it.
                    self.leave_out(&identifier);
                    return Err(StoreError::Conflict.into());
                }
                inserted => inserted?,
            }
        }
        if !self.taken_over.identifiers.contains(self.found_by) {
            return Ok(false);
        }
        match &self.taken_over.hash {
            Some(hash) => {
                let mut credential = PasswordCredential::new(id, hash.clone(), now);
                credential.failures = self.taken_over.failures;
                uow.put_credential(&credential).await?;
            }
            None => uow.raise_credential_version(id).await?,
        }
        Ok(true)
    }

    fn leave_out(&mut self, identifier: &Identifier) {
        let identifiers = &mut self.taken_over.identifiers;
        identifiers.retain(|kept| kept != identifier);
    }
}

/// The state in which a user is adopted.
pub(super) fn state(existing: &ExistingUser, now: Timestamp, rejoin_wait: Duration) -> UserState {
    ImportedState::from(existing.state).at(now, rejoin_wait)
}

/// That a row is there already means that somebody was faster.
fn faster(error: StoreError) -> Error {
    match error {
        StoreError::Taken => StoreError::Conflict.into(),
        other => other.into(),
    }
}
