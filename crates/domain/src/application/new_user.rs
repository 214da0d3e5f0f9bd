//! Creating a user whose address is proved.

use crate::application::Application;
use crate::error::{Error, Refusal};
use crate::model::{
    Address, AuditAction, FederatedAccount, GroupId, Identifier, PasswordCredential, PasswordHash,
    User, UserId,
};
use crate::ports::{Clock as _, StoreError, UnitOfWork};

/// A user whose address is proved, to be created.
pub(crate) struct NewUser {
    pub(crate) group: GroupId,
    pub(crate) address: Address,
    pub(crate) username: Option<Identifier>,
    pub(crate) password: Option<PasswordHash>,
    /// The account at a provider that is linked to it.
    pub(crate) account: Option<FederatedAccount>,
}

impl NewUser {
    /// Whether a provider answers for the address of the new user.
    pub(crate) fn is_answered_for(&self, account: &FederatedAccount) -> bool {
        let email = account.verified_email();
        email.is_some_and(|email| self.address == Address::Email(email))
    }

    /// What it signs in with.
    pub(crate) fn identifiers(&self) -> impl Iterator<Item = Identifier> + use<> {
        let address = Identifier::from(self.address.clone());
        std::iter::once(address).chain(self.username.clone())
    }

    /// Adds the user with all that is its own.
    ///
    /// # Errors
    /// A group that is gone; an identifier that is somebody's, or is held for
    /// somebody.
    pub(crate) async fn insert(
        &self,
        uow: &mut dyn UnitOfWork,
        app: &Application,
    ) -> Result<UserId, Error> {
        let now = app.clock.now();
        let id = UserId::generate(now, &*app.random);
        let user = User::active(id, self.group.clone(), now);
        if !uow.hold_group(&self.group).await? {
            return Err(Refusal::Group.into());
        }
        uow.insert_user(&user).await?;
        let (rejoining, undos) = (&app.rejoining, &app.identifier_undos);
        rejoining.claim(uow, undos, &user, &self.address).await?;
        if let Some(username) = &self.username {
            let holder = rejoining.holder(uow, &self.group, username).await;
            if holder.map_err(username_taken)?.is_some() {
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
        if let Some(account) = &self.account {
            let identities = &app.federated_identities;
            let identity = identities.link(uow, &user, account).await?;
            let event = app.event(AuditAction::FederatedIdentityLinked).on(&user);
            let event = event.by_itself().named(identity.provider.to_string());
            uow.insert_audit_event(&event).await?;
        }
        let event = app.event(AuditAction::UserSignedUp).on(&user);
        let event = event.by_itself().with_address(&self.address);
        uow.insert_audit_event(&event).await?;
        Ok(user.id)
    }
}

/// That somebody who has left still has a user name is no fact about the person who
/// signs up.
pub(crate) fn username_taken(error: Error) -> Error {
    match error {
        Error::Refused(Refusal::UserWithdrawn { .. }) => Refusal::UsernameTaken.into(),
        other => other,
    }
}
