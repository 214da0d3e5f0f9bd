//! Sending a code to an address.

use std::time::Duration;

use crate::application::{Application, CodeRequest};
use crate::error::{Error, Refusal};
use crate::model::{
    Address, ClientContext, Code, GroupId, Locale, ProvenUser, Purpose, Timestamp, User,
    VerificationRecord,
};
use crate::ports::{Content, Message};

/// Somebody asks for a code.
#[derive(Debug)]
pub struct SendCode {
    /// In which group.
    pub group: GroupId,
    /// Where to.
    pub address: Address,
    /// What for.
    pub purpose: Purpose,
    /// A code of the caller's own, which the caller delivers.
    pub code: Option<Code>,
    /// How long the code is good; the configured time if not given.
    pub ttl: Option<Duration>,
    /// The language of the message.
    pub locale: Locale,
    /// The device.
    pub client: ClientContext,
}

/// A code is on its way, or nobody can tell that it is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentCode {
    /// The verification.
    pub record: VerificationRecord,
    /// When the next code may be sent.
    pub resend_at: Timestamp,
}

impl SendCode {
    /// Makes the code and queues its message. To sign in or to reset a
    /// password, it is sent to active users only, and the answer does not tell.
    ///
    /// # Errors
    /// Too many messages; no sender; unavailable, if the code cannot be kept or
    /// its message not be queued.
    pub async fn execute(self, app: &Application) -> Result<SentCode, Error> {
        if self.code.is_none() && !app.messages.reaches(&self.address) {
            return Err(Refusal::SenderMissing.into());
        }
        let charge = app.limits.charge_send(&self.address, &self.client).await?;
        let sent = self.send(app).await;
        app.limits.refund_if_failed(charge, sent).await
    }

    async fn send(self, app: &Application) -> Result<SentCode, Error> {
        let is_for_users = match self.purpose {
            Purpose::SignUp | Purpose::ConfirmSignUp => false,
            Purpose::SignIn | Purpose::PasswordReset => true,
        };
        let user = if is_for_users {
            holder(app, &self.group, &self.address).await?
        } else {
            None
        };
        let message_id = self.code.is_none().then(|| app.messages.new_id());
        let digits = app.settings.verification.code_digits;
        let code = self
            .code
            .unwrap_or_else(|| Code::generate(digits, &*app.random));
        let request = CodeRequest {
            group: self.group,
            address: self.address.clone(),
            purpose: self.purpose,
            user,
            sign_up: None,
            message: message_id,
            ttl: self.ttl.unwrap_or(app.settings.verification.code_ttl),
        };
        let record = app.verifications.keep(request, &code).await?;
        if let Some(id) = message_id {
            let is_wanted = !is_for_users || user.is_some();
            let message = is_wanted.then_some(Message {
                to: self.address,
                locale: self.locale,
                content: Content::Code {
                    code,
                    purpose: record.purpose,
                    expires_at: record.expires_at,
                },
            });
            let queued = app.messages.code(id, message, record.expires_at)?;
            app.store.enqueue(&queued).await?;
            app.messages.queued();
        }
        let resend_at = record.created_at.plus(app.settings.verification.cooldown);
        Ok(SentCode { record, resend_at })
    }
}

/// The active user who holds an address, with its credentials as they are.
async fn holder(
    app: &Application,
    group: &GroupId,
    address: &Address,
) -> Result<Option<ProvenUser>, Error> {
    let account = app
        .store
        .account_by_identifier(group, &address.clone().into())
        .await?;
    let user = account.map(|account| account.user);
    Ok(user
        .filter(User::is_active)
        .map(|user| ProvenUser::of(&user)))
}
