//! Creating a user whose address is proved.

use crate::error::{Error, Refusal};
use crate::model::{
    Address, GroupId, Identifier, PasswordCredential, PasswordHash, Timestamp, User, UserId,
};
use crate::ports::{Random, StoreError, UnitOfWork};

/// A user whose address is proved, to be created.
pub(crate) struct NewUser {
    pub(crate) group: GroupId,
    pub(crate) address: Address,
    pub(crate) username: Option<Identifier>,
    pub(crate) password: Option<PasswordHash>,
}

impl NewUser {
    /// Adds the user with all that is its own.
    ///
    /// # Errors
    /// An identifier that is somebody's.
    pub(crate) async fn insert(
        &self,
        uow: &mut dyn UnitOfWork,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<UserId, Error> {
        let address: Identifier = self.address.clone().into();
        let identifiers = [(Some(&address), Refusal::IdentifierTaken)]
            .into_iter()
            .chain([(self.username.as_ref(), Refusal::UsernameTaken)]);
        let user = User::active(UserId::generate(now, random), self.group.clone(), now);
        uow.insert_user(&user).await?;
        for (identifier, refusal) in identifiers {
            let Some(identifier) = identifier else {
                continue;
            };
            let holder = uow.lock_user_by_identifier(&self.group, identifier).await?;
            if holder.is_some() {
                return Err(refusal.into());
            }
            uow.insert_identifier(&user, identifier)
                .await
                .map_err(|error| match error {
                    StoreError::Taken => refusal.into(),
                    other => Error::from(other),
                })?;
        }
        if let Some(hash) = &self.password {
            uow.put_credential(&PasswordCredential::new(user.id, hash.clone(), now))
                .await?;
        }
        Ok(user.id)
    }
}
