//! Setting a new password by proof of the address.

use crate::application::Application;
use crate::error::{Error, Refusal};
use crate::model::{Password, PasswordCredential, Proof, Purpose, User};

/// Somebody proved the address and sets a new password.
#[derive(Debug)]
pub struct ResetPassword {
    /// The proof.
    pub proof: Proof,
    /// The password as it shall be.
    pub new: Password,
}

impl ResetPassword {
    /// Sets the password, and ends all sessions of the user.
    ///
    /// # Errors
    /// A proof that is not valid, a password that is too easy, too many hashes.
    pub async fn execute(self, app: &Application) -> Result<(), Error> {
        let proved = app
            .look_at_proof(&self.proof, Purpose::PasswordReset)
            .await?;
        let known = [proved.address.as_str()];
        app.hasher
            .assess(&self.new, &known)
            .map_err(|rule| Error::invalid("new_password", rule))?;
        let hash = app.hasher.hash(self.new).await?;
        app.spend_proof(&self.proof).await?;

        let user = app
            .store
            .user_by_verified_address(&proved.group, &proved.address)
            .await?
            .ok_or(Refusal::Proof)?;
        let now = app.clock.now();
        let mut uow = app.store.begin().await?;
        let user = uow
            .lock_user(user.id)
            .await?
            .filter(User::is_active)
            .ok_or(Refusal::Proof)?;
        uow.put_credential(&PasswordCredential::new(user.id, hash, now))
            .await?;
        let ended = uow
            .revoke_user_sessions(user.id, None, now, app.settings.tokens.revocation_ttl())
            .await?;
        uow.commit().await?;
        app.enter_revocations(&ended, now);
        Ok(())
    }
}
