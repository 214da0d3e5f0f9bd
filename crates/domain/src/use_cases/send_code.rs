//! Sending a code to an address.

use std::time::Duration;

use crate::application::{Application, CodeRequest, Recipient};
use crate::error::{Error, Refusal};
use crate::model::{
    Address, ClientContext, Code, GroupId, Locale, MessageId, ProvenUser, Purpose, Timestamp, User,
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
    pub async fn execute(mut self, app: &Application) -> Result<SentCode, Error> {
        let own = self.code.take();
        if own.is_none() && !app.messages.reaches(&self.address) {
            return Err(Refusal::SenderMissing.into());
        }
        let message = own.is_none().then(|| app.messages.new_id());
        let digits = app.settings.verification.code_digits;
        let code = own.unwrap_or_else(|| Code::generate(digits, &*app.random));
        let record = match self.purpose {
            Purpose::SignIn | Purpose::PasswordReset => {
                self.send_to_holder(app, code, message).await?
            }
            Purpose::SignUp | Purpose::ConfirmSignUp => {
                self.send_to_anybody(app, code, message).await?
            }
        };
        let resend_at = record.created_at.plus(app.settings.verification.cooldown);
        Ok(SentCode { record, resend_at })
    }

    /// The code is charged and kept in one step.
    async fn send_to_anybody(
        self,
        app: &Application,
        code: Code,
        message: Option<MessageId>,
    ) -> Result<VerificationRecord, Error> {
        let request = self.request(app, None, message);
        let to = recipient(message, Recipient::Anybody);
        let sends = app.limits.sends(&self.address, &self.client, to);
        let kept = app.verifications.charge_and_keep(sends, request, &code);
        let (charge, record) = kept.await?;
        let queued = self.queue(app, &record, Some(code)).await;
        let sent = queued.map(|()| record);
        app.limits.refund_if_failed(charge, sent).await
    }

    /// The code is charged, then the database is asked who holds the address.
    async fn send_to_holder(
        self,
        app: &Application,
        code: Code,
        message: Option<MessageId>,
    ) -> Result<VerificationRecord, Error> {
        let to = recipient(message, Recipient::Holder);
        let charged = app.limits.charge_send(&self.address, &self.client, to);
        let charge = charged.await?;
        let sent = async {
            let user = holder(app, &self.group, &self.address).await?;
            let request = self.request(app, user, message);
            let record = app.verifications.keep(request, &code, &charge).await?;
            let code = user.is_some().then_some(code);
            self.queue(app, &record, code).await?;
            Ok(record)
        };
        let sent = sent.await;
        app.limits.refund_if_failed(charge, sent).await
    }

    fn request(
        &self,
        app: &Application,
        user: Option<ProvenUser>,
        message: Option<MessageId>,
    ) -> CodeRequest {
        CodeRequest {
            group: self.group.clone(),
            address: self.address.clone(),
            purpose: self.purpose,
            user,
            sign_up: None,
            message,
            ttl: self.ttl.unwrap_or(app.settings.verification.code_ttl),
        }
    }

    /// Queues the message of a verification, if it has one. Without a code there
    /// is nobody to write to, which takes as long.
    async fn queue(
        self,
        app: &Application,
        record: &VerificationRecord,
        code: Option<Code>,
    ) -> Result<(), Error> {
        let Some(id) = record.message else {
            return Ok(());
        };
        let message = code.map(|code| Message {
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
        Ok(())
    }
}

/// Whom a code goes to, if there is a message.
fn recipient(message: Option<MessageId>, to: Recipient) -> Recipient {
    message.map_or(Recipient::Caller, |_| to)
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
