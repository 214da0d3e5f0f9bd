//! A sign-up that waits for its code.

use crate::application::{Application, Charge, CodeRequest, Recipient};
use crate::error::{Error, Refusal};
use crate::model::{
    Address, ClientContext, Code, GroupId, Identifier, Locale, NewPassword, OneTimeSecret,
    PendingSignUp, Purpose, Username, VerificationRecord,
};
use crate::ports::{Content, HashingPlace, Message};

/// A sign-up whose address is not proved yet.
pub(super) struct Unproved {
    pub(super) group: GroupId,
    pub(super) address: Address,
    pub(super) username: Option<Username>,
    pub(super) locale: Locale,
}

impl Unproved {
    /// Sends the code, or tells the owner of the address.
    pub(super) async fn execute(
        self,
        app: &Application,
        password: NewPassword,
        client: &ClientContext,
    ) -> Result<VerificationRecord, Error> {
        if !app.messages.reaches(&self.address) {
            return Err(Refusal::SenderMissing.into());
        }
        let place = app.hasher.admit()?;
        if self.username_is_taken(app).await? {
            app.limits.charge_send_source(client).await?;
            return Err(Refusal::UsernameTaken.into());
        }
        let to = Recipient::Anybody;
        let charge = app
            .limits
            .charge_send(&self.address, client, to, None)
            .await?;
        let sent = self.send(app, place, password, &charge).await;
        app.limits.refund_if_failed(charge, sent).await
    }

    /// User names are no secret, unlike addresses: whether one is taken does
    /// not depend on the address.
    async fn username_is_taken(&self, app: &Application) -> Result<bool, Error> {
        let Some(username) = &self.username else {
            return Ok(false);
        };
        let identifier = Identifier::Username(username.clone());
        let holder = app
            .store
            .account_by_identifier(&self.group, &identifier)
            .await?;
        Ok(holder.is_some())
    }

    async fn send(
        self,
        app: &Application,
        place: Box<dyn HashingPlace>,
        password: NewPassword,
        charge: &Charge,
    ) -> Result<VerificationRecord, Error> {
        let hash = place.hash(password.into_password()).await?;
        let owner = app
            .store
            .account_by_identifier(&self.group, &self.address.clone().into())
            .await?;
        let code = Code::generate(app.settings.verification.code_digits, &*app.random);
        let message_id = app.messages.new_id();
        let request = CodeRequest {
            group: self.group,
            address: self.address.clone(),
            purpose: Purpose::ConfirmSignUp,
            user: None,
            sign_up: Some(PendingSignUp {
                username: self.username.map(|name| name.as_str().to_owned()),
                password_hash: hash.expose().to_owned(),
            }),
            message: Some(message_id),
            device: None,
            ttl: app.settings.verification.code_ttl,
        };
        let secret = OneTimeSecret::Code(code.clone());
        let record = app.verifications.keep(request, &secret, charge).await?;
        // The owner of the address is told, and nobody has the code.
        let content = if owner.is_some() {
            Content::AlreadySignedUp
        } else {
            Content::Code {
                code,
                purpose: record.purpose,
                expires_at: record.expires_at,
            }
        };
        let message = Message {
            to: self.address,
            locale: self.locale,
            content,
        };
        let queued = app
            .messages
            .code(message_id, Some(message), record.expires_at)?;
        app.store.enqueue(&queued).await?;
        app.messages.queued();
        Ok(record)
    }
}
