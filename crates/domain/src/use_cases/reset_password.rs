//! Setting a new password by proof of the address.

use crate::application::{Application, Repeats};
use crate::error::{Error, Refusal};
use crate::model::{
    Address, AuditAction, Locale, Password, PasswordCredential, PasswordHash, Proof, ProvenUser,
    Purpose, Revocation,
};
use crate::ports::{Clock as _, Content, UnitOfWork};

/// Somebody proved the address and sets a new password.
#[derive(Debug)]
pub struct ResetPassword {
    /// The proof.
    pub proof: Proof,
    /// The password as it shall be.
    pub new: Password,
    /// The language of the notice.
    pub locale: Locale,
}

impl ResetPassword {
    /// Sets the password, ends all sessions of the user, and tells all of the
    /// user's addresses.
    ///
    /// # Errors
    /// A proof that is not valid, or was made before the password was set last;
    /// a password that is too easy; too many hashes.
    pub async fn execute(self, app: &Application) -> Result<(), Error> {
        let proved = app
            .verifications
            .proof(&self.proof, Purpose::PasswordReset)
            .await?;
        let known = [proved.address.as_str()];
        let rules = app.groups.of(&proved.group)?;
        rules
            .check_password(&self.new)
            .map_err(|rule| Error::invalid("new_password", rule))?;
        app.hasher
            .assess(&self.new, &known)
            .map_err(|rule| Error::invalid("new_password", rule))?;
        let hash = app.hasher.admit()?.hash(self.new).await?;
        let user = app.adoption.proven(&proved, app.origin()).await?;
        let user = user.ok_or(Refusal::Proof)?;
        let addresses = app.store.addresses(user.id).await?;
        if !addresses.contains(&proved.address) {
            return Err(Refusal::Proof.into());
        }
        let (mut repeats, mut is_spent) = (Repeats::default(), false);
        let ended = loop {
            let reset = async {
                let (uow, ended) = reset(app, user, &hash, &addresses, self.locale).await?;
                // Before the commit: what becomes of that may stay unknown.
                let spent = app.verifications.spend_once(&self.proof, &mut is_spent);
                spent.await?;
                uow.commit().await?;
                Ok(ended)
            };
            match reset.await {
                Err(error) if repeats.allow(&error) => {}
                outcome => break outcome?,
            }
        };
        app.session_ending.committed(&ended);
        app.messages.queued();
        Ok(())
    }
}

/// The reset but for its commit.
async fn reset(
    app: &Application,
    proved: ProvenUser,
    hash: &PasswordHash,
    addresses: &[Address],
    locale: Locale,
) -> Result<(Box<dyn UnitOfWork>, Vec<Revocation>), Error> {
    let now = app.clock.now();
    let mut uow = app.store.begin().await?;
    let user = uow
        .lock_user(proved.id)
        .await?
        .filter(|user| user.is_active(now) && proved.is_current(user))
        .ok_or(Refusal::Proof)?;
    uow.put_credential(&PasswordCredential::new(user.id, hash.clone(), now))
        .await?;
    let ended = app
        .session_ending
        .end_sessions(&mut *uow, &user, None)
        .await?;
    for notice in app
        .messages
        .notices(addresses, locale, &Content::PasswordReset)?
    {
        uow.insert_message(&notice).await?;
    }
    let event = app.event(AuditAction::PasswordReset).on(&user).by_itself();
    uow.insert_audit_event(&event).await?;
    Ok((uow, ended))
}
