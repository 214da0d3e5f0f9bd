//! Creating a user whose address is proved.

use crate::application::Application;
use crate::error::{Error, Refusal};
use crate::model::{Address, GroupId, Identifier, PasswordCredential, PasswordHash, User, UserId};
use crate::ports::{Clock as _, StoreError, UnitOfWork};

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
    /// An identifier that is somebody's, or is held for somebody.
    pub(crate) async fn insert(
        &self,
        uow: &mut dyn UnitOfWork,
        app: &Application,
    ) -> Result<UserId, Error> {
        let now = app.clock.now();
        let id = UserId::generate(now, &*app.random);
        let user = User::active(id, self.group.clone(), now);
        uow.insert_user(&user).await?;
        let address: Identifier = self.address.clone().into();
        let holder = uow.lock_user_by_identifier(&self.group, &address).await?;
        if holder.is_some() {
            return Err(Refusal::IdentifierTaken.into());
        }
        let undos = &app.identifier_undos;
        undos.claim(uow, &user, &self.address).await?;
        if let Some(username) = &self.username {
            let holder = uow.lock_user_by_identifier(&self.group, username).await?;
            if holder.is_some() {
                return Err(Refusal::UsernameTaken.into());
            }
            uow.insert_identifier(&user, username)
                .await
                .map_err(|error| match error {
                    StoreError::Taken => Refusal::UsernameTaken.into(),
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
