//! Replacing a password that is known.

use futures_util::future::try_join;

use crate::application::Application;
use crate::error::{Error, Refusal};
use crate::model::{Address, Locale, Password, PasswordCredential, User};
use crate::ports::{Content, Message};

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
        let person = app.person(&self.access_token).await?;
        let addresses = app.store.verified_addresses(person.user.id).await?;
        let known: Vec<&str> = addresses.iter().map(Address::as_str).collect();
        app.hasher
            .assess(&self.new, &known)
            .map_err(|rule| Error::invalid("new_password", rule))?;

        let account = app
            .store
            .account(person.user.id)
            .await?
            .ok_or(Refusal::AccessToken(None))?;
        let credential = account.credential.ok_or(Refusal::Password)?;
        let hash = credential.hash.clone();
        let verify = async { Ok::<_, Error>(app.hasher.verify(self.current, Some(hash)).await?) };
        let count = async {
            Ok(app
                .store
                .count_attempt(person.user.id, app.settings.password_attempts)
                .await?)
        };
        let (verdict, counted) = try_join(verify, count).await?;
        if !verdict.matches || !counted {
            return Err(Refusal::Password.into());
        }
        let new_hash = app.hasher.hash(self.new).await?;

        let now = app.clock.now();
        let mut uow = app.store.begin().await?;
        let user = uow.lock_user(person.user.id).await?.filter(User::is_active);
        let user = user.ok_or(Refusal::AccessToken(None))?;
        let unchanged = uow
            .lock_credential(user.id)
            .await?
            .is_some_and(|now| now.hash == credential.hash);
        if !unchanged {
            return Err(Refusal::Password.into());
        }
        uow.put_credential(&PasswordCredential::new(user.id, new_hash, now))
            .await?;
        let needed_for = app.settings.tokens.revocation_ttl();
        let ended = uow
            .revoke_user_sessions(user.id, Some(person.session.id), now, needed_for)
            .await?;
        uow.commit().await?;

        app.enter_revocations(&ended, now);
        for to in addresses {
            app.sender
                .send(Message {
                    to,
                    locale: self.locale,
                    content: Content::PasswordChanged,
                })
                .await?;
        }
        Ok(())
    }
}
