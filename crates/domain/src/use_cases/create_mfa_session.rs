//! Creating an MFA session: a code is kept for a user, to be answered once.

mod for_factors;
mod sending;

use std::time::Duration;

use self::sending::{addressee, check_that_it_may_arrive, message, queue};
use crate::application::{Application, Charge, Recipient};
use crate::error::Error;
use crate::model::{
    Address, Channel, ClientContext, Code, DeviceClaim, GroupId, Locale, MfaFactor, MfaSessionId,
    MfaSessionRecord, NamedUser, ProvenUser, Scope, SignInWay, Timestamp, User,
};
use crate::ports::Clock as _;

/// A gateway asks for a second proof of a user.
#[derive(Debug)]
pub struct CreateMfaSession {
    /// In which group.
    pub group: GroupId,
    /// Of whom.
    pub user: NamedUser,
    /// The code.
    pub code: MfaCode,
    /// How long it is good; the configured time if not given.
    pub ttl: Option<Duration>,
    /// For which audience: one of those that are offered.
    pub audience: String,
    /// With which scopes: some of those that are offered.
    pub scopes: Vec<Scope>,
    /// The caller, which gets the tokens.
    pub client_id: String,
    /// The language of the message.
    pub locale: Locale,
    /// The device.
    pub client: ClientContext,
}

/// The code of an MFA session.
#[derive(Debug)]
pub enum MfaCode {
    /// The caller's own, which the caller delivers.
    Own(Code),
    /// One that is made and sent, by this channel if one is named.
    Sent(Option<Channel>),
    /// None: it is answered with what the user has enrolled.
    Enrolled,
}

/// An MFA session, or nobody can tell that there is none.
#[derive(Debug)]
pub struct CreatedMfaSession {
    /// Its id.
    pub id: MfaSessionId,
    /// From when on it is not accepted.
    pub expires_at: Timestamp,
}

impl CreateMfaSession {
    /// Keeps the code, and queues its message if it is one that is sent.
    ///
    /// # Errors
    /// No such group, or one that does not let people in with codes; too many
    /// messages; no sender; unavailable, if the code cannot be kept or
    /// its message not be queued.
    pub async fn execute(self, app: &Application) -> Result<CreatedMfaSession, Error> {
        let rules = app.groups.named(&self.group)?;
        rules.require_way(SignInWay::VerifiedCode)?;
        if matches!(self.code, MfaCode::Enrolled) {
            return self.for_factors(app).await;
        }
        let named = self.named_address();
        if matches!(self.code, MfaCode::Sent(_)) {
            check_that_it_may_arrive(app, named.as_ref(), self.locale, self.ttl(app))?;
        }
        let charge = match &named {
            Some(address) => {
                let to = match self.code {
                    MfaCode::Sent(_) => Recipient::Holder,
                    MfaCode::Own(_) | MfaCode::Enrolled => Recipient::Caller,
                };
                let charge = app.limits.charge_send(address, &self.client, to, None);
                charge.await?
            }
            None => {
                let charge = app.limits.charge_send_to_user(&self.user, &self.client);
                charge.await?
            }
        };
        let created = self.create(app, named, &charge).await;
        app.limits.refund_if_failed(charge, created).await
    }

    fn ttl(&self, app: &Application) -> Duration {
        self.ttl.unwrap_or(app.settings.verification.code_ttl)
    }

    /// The address that names the user, if that is where the code may go.
    fn named_address(&self) -> Option<Address> {
        let NamedUser::Identifier(identifier) = &self.user else {
            return None;
        };
        let address = identifier.address()?;
        let is_meant = match self.code {
            MfaCode::Own(_) | MfaCode::Sent(None) | MfaCode::Enrolled => true,
            MfaCode::Sent(Some(channel)) => channel.leads_to(&address),
        };
        is_meant.then_some(address)
    }

    async fn create(
        self,
        app: &Application,
        named: Option<Address>,
        charged: &Charge,
    ) -> Result<CreatedMfaSession, Error> {
        let user = self.active_user(app).await?;
        let now = app.clock.now();
        let ttl = self.ttl(app);
        let mut record = MfaSessionRecord {
            group: self.group,
            user: user.as_ref().map(ProvenUser::of),
            stand_in: None,
            factors: vec![MfaFactor::Code],
            shown: Vec::new(),
            proved: None,
            addresses_stand_in: false,
            client_id: self.client_id,
            audience: self.audience,
            scopes: self.scopes,
            client: self.client,
            known_as: DeviceClaim::Untold,
            message: None,
            created_at: now,
            expires_at: now.plus(ttl),
        };
        let channel = match self.code {
            MfaCode::Own(code) => {
                let kept = app.mfa_sessions.keep(&record, &self.user, &code, charged);
                let id = kept.await?;
                return Ok(CreatedMfaSession {
                    id,
                    expires_at: record.expires_at,
                });
            }
            MfaCode::Sent(channel) => channel,
            MfaCode::Enrolled => None,
        };
        let code = Code::generate(app.settings.verification.code_digits, &*app.random);
        let message_id = app.messages.new_id();
        record.message = Some(message_id);
        let (to, charge) = match named {
            Some(address) => (user.map(|_| address), None),
            None => {
                let message_to = |to| message(to, self.locale, code.clone(), record.expires_at);
                addressee(app, &self.user, user.as_ref(), channel, message_to).await?
            }
        };
        let sent = async {
            let charged = charge.as_ref().unwrap_or(charged);
            let kept = app.mfa_sessions.keep(&record, &self.user, &code, charged);
            let id = kept.await?;
            let message = to.map(|to| message(to, self.locale, code, record.expires_at));
            queue(app, message_id, message, record.expires_at).await?;
            Ok(CreatedMfaSession {
                id,
                expires_at: record.expires_at,
            })
        };
        let sent = sent.await;
        match charge {
            Some(charge) => app.limits.refund_if_failed(charge, sent).await,
            None => sent,
        }
    }

    async fn active_user(&self, app: &Application) -> Result<Option<User>, Error> {
        let user = match &self.user {
            NamedUser::Id(id) => app.store.user(*id).await?,
            NamedUser::Identifier(identifier) => {
                let account = app.store.account_by_identifier(&self.group, identifier);
                account.await?.map(|account| account.user)
            }
        };
        let now = app.clock.now();
        Ok(user.filter(|user| user.is_active(now) && user.group == self.group))
    }
}
