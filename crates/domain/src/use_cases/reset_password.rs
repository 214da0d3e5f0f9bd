//! Setting a new password by proof of the address.

use crate::application::{Application, CodeRequest};
use crate::error::{Error, Refusal};
use crate::model::{
    Address, ClientContext, Code, GroupId, Locale, Password, PasswordCredential, Proof, Purpose,
    User, VerificationRecord,
};
use crate::ports::{Content, Message};

/// Somebody forgot the password.
#[derive(Debug)]
pub struct StartPasswordReset {
    /// In which group.
    pub group: GroupId,
    /// With which address.
    pub address: Address,
    /// The language of the message.
    pub locale: Locale,
    /// The device.
    pub client: ClientContext,
}

/// Somebody proved the address and sets a new password.
#[derive(Debug)]
pub struct ResetPassword {
    /// The proof.
    pub proof: Proof,
    /// The password as it shall be.
    pub new: Password,
}

impl StartPasswordReset {
    /// Sends a code, if it is a verified address of an active user. The answer
    /// does not tell.
    ///
    /// # Errors
    /// Too many messages.
    pub async fn execute(self, app: &Application) -> Result<VerificationRecord, Error> {
        app.count_send(&self.group, &self.address, &self.client)
            .await?;
        let user = app
            .store
            .user_by_verified_address(&self.group, &self.address)
            .await?;
        let code = Code::generate(app.settings.verification.code_digits, &*app.random);
        let request = CodeRequest {
            group: self.group,
            address: self.address.clone(),
            purpose: Purpose::PasswordReset,
            user_id: None,
            ttl: app.settings.verification.code_ttl,
        };
        let record = app.keep_code(request, &code).await?;
        if user.is_some_and(|user| user.is_active()) {
            let content = Content::Code {
                code,
                purpose: record.purpose,
                expires_at: record.expires_at,
            };
            app.sender
                .send(Message {
                    to: self.address,
                    locale: self.locale,
                    content,
                })
                .await?;
        }
        Ok(record)
    }
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
