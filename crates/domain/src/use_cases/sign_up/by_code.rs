//! A sign-up that waits for its code.

use crate::application::{Application, Charge, CodeRequest, Recipient};
use crate::error::{Error, Refusal};
use crate::model::{
    Address, ClientContext, Code, GroupId, Identifier, Locale, NewPassword, OneTimeSecret,
    PendingSignUp, Purpose, Timestamp, UserState, Username, VerificationRecord,
};
use crate::ports::{Account, Clock as _, Content, HashingPlace, Message};

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
        let code = Code::generate(app.settings.verification.code_digits, &*app.random);
        let expires_at = app.clock.now().plus(app.settings.verification.code_ttl);
        let message = self.message(code.clone(), expires_at);
        app.messages.check_code(&message)?;
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
        let sent = self.send(app, place, password, code, &charge).await;
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
        let now = app.clock.now();
        let is_known = holder.is_some();
        let is_taken = holder.is_some_and(|holder| !holder.user.state.may_rejoin(now));
        let hindrance = app.adoption.hindrance(&self.group, &identifier, is_known);
        Ok(hindrance.await?.is_some() || is_taken)
    }

    /// Whether the address is that of somebody who has not left. Who has hears once it
    /// has proved the address when it may join again.
    async fn address_is_taken(&self, app: &Application) -> Result<bool, Error> {
        let address: Identifier = self.address.clone().into();
        let owner = app.store.account_by_identifier(&self.group, &address);
        let owner = owner.await?;
        let hindrance = app
            .adoption
            .hindrance(&self.group, &address, owner.is_some());
        let is_held = matches!(hindrance.await?, Some(Refusal::IdentifierTaken));
        let has_left = |owner: &Account| matches!(owner.user.state, UserState::Withdrawn(_));
        Ok(is_held || owner.is_some_and(|owner| !has_left(&owner)))
    }

    async fn send(
        self,
        app: &Application,
        place: Box<dyn HashingPlace>,
        password: NewPassword,
        code: Code,
        charge: &Charge,
    ) -> Result<VerificationRecord, Error> {
        let hash = place.hash(password.into_password()).await?;
        let has_owner = self.address_is_taken(app).await?;
        let message_id = app.messages.new_id();
        let request = CodeRequest {
            group: self.group.clone(),
            address: self.address.clone(),
            purpose: Purpose::ConfirmSignUp,
            user: None,
            existing: None,
            sign_up: Some(PendingSignUp {
                username: self.username.as_ref().map(|name| name.as_str().to_owned()),
                password_hash: hash.expose().to_owned(),
            }),
            message: Some(message_id),
            device: None,
            ttl: app.settings.verification.code_ttl,
        };
        let secret = OneTimeSecret::Code(code.clone());
        let record = app.verifications.keep(request, &secret, charge).await?;
        let mut message = self.message(code, record.expires_at);
        if has_owner {
            // The owner of the address is told, and nobody has the code.
            message.content = Content::AlreadySignedUp;
        }
        let queued = app
            .messages
            .code(message_id, Some(message), record.expires_at)?;
        app.store.enqueue(&queued).await?;
        app.messages.queued();
        Ok(record)
    }
    fn message(&self, code: Code, expires_at: Timestamp) -> Message {
        Message {
            to: self.address.clone(),
            locale: self.locale,
            content: Content::Code {
                code,
                purpose: Purpose::ConfirmSignUp,
                expires_at,
            },
        }
    }
}
