//! Sending a code to an address.

use std::time::Duration;

use crate::application::{Application, CodeRequest};
use crate::error::Error;
use crate::model::{
    Address, ClientContext, Code, GroupId, Locale, Purpose, Timestamp, User, VerificationRecord,
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
    /// Makes and sends the code. To sign in or to reset a password, it is sent
    /// to active users only, and the answer does not tell.
    ///
    /// # Errors
    /// Too many messages; unavailable, if it cannot be kept or sent.
    pub async fn execute(self, app: &Application) -> Result<SentCode, Error> {
        app.count_send(&self.group, &self.address, &self.client)
            .await?;
        let is_wanted = match self.purpose {
            Purpose::SignUp | Purpose::ConfirmSignUp => true,
            Purpose::SignIn | Purpose::PasswordReset => app
                .store
                .user_by_verified_address(&self.group, &self.address)
                .await?
                .as_ref()
                .is_some_and(User::is_active),
        };
        let is_delivered_by_caller = self.code.is_some();
        let digits = app.settings.verification.code_digits;
        let code = self
            .code
            .unwrap_or_else(|| Code::generate(digits, &*app.random));
        let request = CodeRequest {
            group: self.group,
            address: self.address.clone(),
            purpose: self.purpose,
            user_id: None,
            ttl: self.ttl.unwrap_or(app.settings.verification.code_ttl),
        };
        let record = app.keep_code(request, &code).await?;
        if is_wanted && !is_delivered_by_caller {
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
        let resend_at = record.created_at.plus(app.settings.verification.cooldown);
        Ok(SentCode { record, resend_at })
    }
}
