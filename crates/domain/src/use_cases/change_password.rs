//! Replacing a password that is known.

use crate::application::{Application, Person, Repeats, compare_password};
use crate::error::{Error, Refusal};
use crate::model::{
    Address, Locale, Password, PasswordCredential, PasswordHash, ProvenUser, Revocation, User,
};
use crate::ports::{Clock as _, Content, HashingPlace};

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
        let known: Vec<&str> = addresses.iter().map(Address::as_str).collect();
        app.hasher
            .assess(&self.new, &known)
            .map_err(|rule| Error::invalid("new_password", rule))?;
        // Both before the attempt is counted: one that is shed in between would
        // count as a failure.
        let (compared_at, hashed_at) = (app.hasher.admit()?, app.hasher.admit()?);
        let (session, user) = (person.session.id, ProvenUser::of(&person.user));
        let charge = app.limits.charge_password_change(session, user).await?;
        let compared = compare(app, &person, self.current, compared_at).await;
        let credential = app.limits.refund_unless_refused(charge, compared).await?;
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

/// The password of the person, which is the current one. The attempt is charged
/// already, and not counted with those of strangers: they could keep the owner
/// out of this, too, and who has stolen a session could keep him out of sign-ins.
async fn compare(
    app: &Application,
    person: &Person,
    current: Password,
    place: Box<dyn HashingPlace>,
) -> Result<PasswordCredential, Error> {
    let user_id = person.user.id;
    let account = app.store.account(user_id).await?;
    let account = account.ok_or(Refusal::AccessToken(None))?;
    let credential = account.credential.ok_or(Refusal::Password)?;
    let verdict = compare_password(place, current, Some(&credential)).await?;
    if verdict.matches {
        Ok(credential)
    } else {
        Err(Refusal::Password.into())
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
            .filter(User::is_active)
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
        let ended = uow
            .revoke_user_sessions(user.id, Some(self.person.session.id), now)
            .await?;
        let content = Content::PasswordChanged;
        for notice in app
            .messages
            .notices(&self.notified, self.locale, &content)?
        {
            uow.insert_message(&notice).await?;
        }
        uow.commit().await?;
        Ok(ended)
    }
}
