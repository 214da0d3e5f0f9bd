//! Operators add users.

use crate::application::{Application, Repeats, check_attributes, username_taken};
use crate::error::{Error, Refusal};
use crate::model::{
    AuditAction, ExternalId, GroupId, Identifier, NewPassword, PasswordCredential, PasswordHash,
    Profile, Scope, User, UserId, UserRole,
};
use crate::ports::{Clock as _, ListedUser, StoreError};

/// An operator adds a user.
#[derive(Debug)]
pub struct CreateUser {
    /// In which group.
    pub group: GroupId,
    /// With what it signs in. The operator answers for the addresses.
    pub identifiers: Vec<Identifier>,
    /// Its password, if it has one.
    pub password: Option<NewPassword>,
    /// Its id in another system, if it has one.
    pub external_id: Option<ExternalId>,
    /// Its profile.
    pub profile: Profile,
    /// Its roles.
    pub roles: Vec<UserRole>,
    /// Its scopes.
    pub scopes: Vec<Scope>,
}

impl CreateUser {
    /// Adds the user.
    ///
    /// # Errors
    /// No such group; a password that is too short for it; attributes that are not what
    /// it says; an identifier or an external
    /// id that is taken; too many hashes.
    pub async fn execute(mut self, app: &Application) -> Result<ListedUser, Error> {
        let rules = app.groups.named(&self.group)?;
        let attributes = &self.profile.attributes;
        check_attributes(attributes, rules.profile_attributes())?;
        let hash = match self.password.take() {
            Some(password) => {
                let checked = rules.check_password(password.password());
                checked.map_err(|rule| Error::invalid("password", rule))?;
                let place = app.hasher.admit()?;
                Some(place.hash(password.into_password()).await?)
            }
            None => None,
        };
        self.identifiers.sort();
        self.identifiers.dedup();
        let mut repeats = Repeats::default();
        loop {
            match self.insert(app, hash.as_ref()).await {
                Err(error) if repeats.allow(&error) => {}
                outcome => return outcome,
            }
        }
    }

    async fn insert(
        &self,
        app: &Application,
        hash: Option<&PasswordHash>,
    ) -> Result<ListedUser, Error> {
        let now = app.clock.now();
        let user = User {
            external_id: self.external_id.clone(),
            profile: self.profile.clone(),
            roles: self.roles.clone(),
            scopes: self.scopes.clone(),
            ..User::active(UserId::generate(now, &*app.random), self.group.clone(), now)
        };
        let mut uow = app.store.begin().await?;
        if !uow.hold_group(&user.group).await? {
            return Err(Refusal::Group.into());
        }
        let inserted = uow.insert_user(&user).await;
        inserted.map_err(|error| taken(error, Refusal::ExternalIdTaken))?;
        for identifier in &self.identifiers {
            match identifier.address() {
                Some(address) => {
                    let (rejoining, undos) = (&app.rejoining, &app.identifier_undos);
                    rejoining.claim(&mut *uow, undos, &user, &address).await?;
                }
                None => {
                    let holder = app.rejoining.holder(&mut *uow, &self.group, identifier);
                    holder.await.map_err(username_taken)?;
                    let inserted = uow.insert_identifier(&user, identifier).await;
                    inserted.map_err(|error| taken(error, Refusal::UsernameTaken))?;
                }
            }
        }
        if let Some(hash) = hash {
            let credential = PasswordCredential::new(user.id, hash.clone(), now);
            uow.put_credential(&credential).await?;
        }
        let event = app.event(AuditAction::UserCreated).on(&user);
        let address = self.identifiers.iter().find_map(Identifier::address);
        let event = match &address {
            Some(address) => event.with_address(address),
            None => event,
        };
        uow.insert_audit_event(&event).await?;
        uow.commit().await?;
        Ok(ListedUser {
            user,
            identifiers: self.identifiers.clone(),
        })
    }
}

fn taken(error: StoreError, refusal: Refusal) -> Error {
    match error {
        StoreError::Taken => refusal.into(),
        other => other.into(),
    }
}
