//! Sending a code or a link to an address.

mod group;
mod message;
mod whom;

use std::time::Duration;

use self::whom::{Holder, holder, known_device, recipient, who_asks};
use crate::application::{Application, CodeRequest, Recipient};
use crate::error::{Error, Refusal};
use crate::model::{
    Address, ClientContext, Code, DeviceClaim, DeviceDigest, GroupId, Link, LinkPrefix, LinkToken,
    Locale, MessageId, OneTimeSecret, ProvenUser, Purpose, Timestamp, VerificationRecord,
};

/// Somebody asks for a code or a link.
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
    /// The access token of the person who is to have the address, to change one.
    pub access_token: Option<String>,
    /// Where a link leads that is sent in place of a code: one of those that the
    /// settings offer.
    pub link_prefix: Option<LinkPrefix>,
    /// How long the code or the link is good; the configured time if not given.
    pub ttl: Option<Duration>,
    /// The language of the message.
    pub locale: Locale,
    /// The device.
    pub client: ClientContext,
    /// Its device token. A code for the user of a known device has limits of its own,
    /// and is ended by no code that is asked for elsewhere.
    pub device: DeviceClaim,
}

/// A code or a link is on its way, or nobody can tell that it is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentCode {
    /// The verification.
    pub record: VerificationRecord,
    /// When the next one may be sent.
    pub resend_at: Timestamp,
}

impl SendCode {
    /// What is wrong with a code of one's own beside a link.
    pub const CODE_OR_LINK: &str = "must be empty where there is a code: it is one or the other";

    /// Makes the code or the link and queues its message. To sign in or to reset a
    /// password, it is sent to active users only, and the answer does not tell.
    ///
    /// # Errors
    /// No such group, or one that does not let people do this; a code of one's own
    /// and a link at once; an access token that is missing or not
    /// good; too many messages; no sender, or none that could deliver it there;
    /// unavailable, if the secret cannot be kept or its message not be queued.
    pub async fn execute(mut self, app: &Application) -> Result<SentCode, Error> {
        self.check_that_the_group_allows_it(app)?;
        let own = self.code.take();
        if own.is_some() && self.link_prefix.is_some() {
            return Err(Error::invalid("link_prefix", Self::CODE_OR_LINK));
        }
        if own.is_none() && !app.messages.reaches(&self.address) {
            return Err(Refusal::SenderMissing.into());
        }
        let asking = match self.purpose {
            Purpose::ChangeIdentifier => {
                let access_token = self.access_token.as_deref();
                Some(who_asks(app, access_token, &self.group).await?)
            }
            _ => None,
        };
        let message = own.is_none().then(|| app.messages.new_id());
        let secret = match (own, self.link_prefix.take()) {
            (Some(code), _) => OneTimeSecret::Code(code),
            (None, Some(prefix)) => {
                let token = LinkToken::generate(&*app.random);
                OneTimeSecret::Link(Link { prefix, token })
            }
            (None, None) => {
                let digits = app.settings.verification.code_digits;
                OneTimeSecret::Code(Code::generate(digits, &*app.random))
            }
        };
        if message.is_some() {
            self.check_that_it_may_arrive(app, &secret)?;
        }
        let record = match self.purpose {
            Purpose::SignIn
            | Purpose::PasswordReset
            | Purpose::AddFactor
            | Purpose::SecondFactor
            | Purpose::StepUp => self.send_to_holder(app, secret, message).await?,
            Purpose::SignUp | Purpose::ConfirmSignUp | Purpose::ChangeIdentifier => {
                self.send_to_anybody(app, secret, message, asking).await?
            }
        };
        let resend_at = record.created_at.plus(app.settings.verification.cooldown);
        Ok(SentCode { record, resend_at })
    }

    /// The message is charged, and the secret kept, in one step.
    async fn send_to_anybody(
        self,
        app: &Application,
        secret: OneTimeSecret,
        message: Option<MessageId>,
        asking: Option<ProvenUser>,
    ) -> Result<VerificationRecord, Error> {
        let holder = Holder {
            user: asking,
            existing: None,
        };
        let request = self.request(app, holder, message, None);
        let to = recipient(message, Recipient::Anybody);
        let sends = app.limits.sends(&self.address, &self.client, to, None);
        let kept = app.verifications.charge_and_keep(sends, request, &secret);
        let (charge, record) = kept.await?;
        let queued = self.queue(app, &record, Some(secret)).await;
        let sent = queued.map(|()| record);
        app.limits.refund_if_failed(charge, sent).await
    }

    /// The message is charged, then the database is asked who holds the address.
    async fn send_to_holder(
        self,
        app: &Application,
        secret: OneTimeSecret,
        message: Option<MessageId>,
    ) -> Result<VerificationRecord, Error> {
        let to = recipient(message, Recipient::Holder);
        let device = known_device(app, self.device, &self.group, &self.address).await?;
        let charged = app
            .limits
            .charge_send(&self.address, &self.client, to, device.as_ref());
        let charge = charged.await?;
        let sent = async {
            let holder = holder(app, &self.group, &self.address, self.purpose).await?;
            let is_somebody = holder.is_somebody();
            let request = self.request(app, holder, message, device);
            let record = app.verifications.keep(request, &secret, &charge).await?;
            let secret = is_somebody.then_some(secret);
            self.queue(app, &record, secret).await?;
            Ok(record)
        };
        let sent = sent.await;
        app.limits.refund_if_failed(charge, sent).await
    }

    fn request(
        &self,
        app: &Application,
        holder: Holder,
        message: Option<MessageId>,
        device: Option<DeviceDigest>,
    ) -> CodeRequest {
        CodeRequest {
            group: self.group.clone(),
            address: self.address.clone(),
            purpose: self.purpose,
            user: holder.user,
            existing: holder.existing,
            sign_up: None,
            message,
            device,
            ttl: self.ttl(app),
        }
    }

    fn ttl(&self, app: &Application) -> Duration {
        self.ttl.unwrap_or(app.settings.verification.code_ttl)
    }

    /// Queues the message of a verification, if it has one. Without a secret there
    /// is nobody to write to, which takes as long.
    async fn queue(
        &self,
        app: &Application,
        record: &VerificationRecord,
        secret: Option<OneTimeSecret>,
    ) -> Result<(), Error> {
        let Some(id) = record.message else {
            return Ok(());
        };
        let message = secret.map(|secret| self.message(&secret, record.expires_at));
        let queued = app.messages.code(id, message, record.expires_at)?;
        app.store.enqueue(&queued).await?;
        app.messages.queued();
        Ok(())
    }
}
