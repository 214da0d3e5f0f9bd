//! Replacing a password that is known.

use crate::application::{Application, Person, Repeats, compare_own_password};
use crate::error::{Error, Refusal};
use crate::model::{
    Address, AuditAction, Locale, Password, PasswordCredential, PasswordHash, Revocation,
};
use crate::ports::{Clock as _, Content};

/// Somebody changes the password.
#[derive(Debug)]
pub struct ChangePassword {
    /// The person's access token.
    pub access_token: String,
    /// The password as it is.
    pub current: Password,
    /// The password as it shall be.
    pub new: Password,
    /// The language of the notice.
    pub locale: Locale,
}

impl ChangePassword {
    /// Changes the password, and ends all other sessions of the user.
    ///
    /// # Errors
    /// An access token that is not good, a wrong current password, a new one
    /// that is too easy, too many attempts or hashes.
    pub async fn execute(self, app: &Application) -> Result<(), Error> {
        let person = app.people.by_access_token(&self.access_token).await?;
        let addresses = app.store.addresses(person.user.id).await?;
        let rules = app.groups.of(&person.user.group)?;
        rules
            .check_password(&self.new)
            .map_err(|rule| Error::invalid("new_password", rule))?;
        let known: Vec<&str> = addresses.iter().map(Address::as_str).collect();
        app.hasher
            .assess(&self.new, &known)
            .map_err(|rule| Error::invalid("new_password", rule))?;
        // Both before the attempt is counted: one that is shed in between would
        // count as a failure.
        let (compared_at, hashed_at) = (app.hasher.admit()?, app.hasher.admit()?);
        let (store, limits) = (&*app.store, &*app.limits);
        let compared = compare_own_password(store, limits, &person, compared_at, self.current);
        let credential = compared.await.inspect_err(|error| {
            let attempt = app.event_of(AuditAction::PasswordChanged, &person);
            app.refused.note(attempt, error);
        })?;
        let new_hash = hashed_at.hash(self.new).await?;
        let change = Change {
            person,
            compared: credential.hash,
            new_hash,
            notified: addresses,
            locale: self.locale,
        };
        let mut repeats = Repeats::default();
        let ended = loop {
            match change.commit(app).await {
                Err(error) if repeats.allow(&error) => {}
                outcome => break outcome?,
            }
        };
        app.session_ending.committed(&ended);
        app.messages.queued();
        Ok(())
    }
}

/// A change of a password that was compared.
struct Change {
    person: Person,
    compared: PasswordHash,
    new_hash: PasswordHash,
    notified: Vec<Address>,
    locale: Locale,
}

impl Change {
    async fn commit(&self, app: &Application) -> Result<Vec<Revocation>, Error> {
        let now = app.clock.now();
        let mut uow = app.store.begin().await?;
        let user = uow.lock_user(self.person.user.id).await?;
        let user = user
            .filter(|user| user.is_active(now))
            .ok_or(Refusal::AccessToken(None))?;
        let unchanged = uow
            .lock_credential(user.id)
            .await?
            .is_some_and(|now| now.hash == self.compared);
        if !unchanged {
            return Err(Refusal::Password.into());
        }
        uow.put_credential(&PasswordCredential::new(
            user.id,
            self.new_hash.clone(),
            now,
        ))
        .await?;
        let own = Some(self.person.session.id);
        let ended = app
            .session_ending
            .end_sessions(&mut *uow, &user, own)
            .await?;
        let content = Content::PasswordChanged;
        for notice in app
            .messages
            .notices(&self.notified, self.locale, &content)?
        {
            uow.insert_message(&notice).await?;
        }
        let event = app.event_of(AuditAction::PasswordChanged, &self.person);
        uow.insert_audit_event(&event).await?;
        uow.commit().await?;
        Ok(ended)
    }
}
