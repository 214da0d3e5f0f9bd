//! Limits on attempts and messages. They are counted by what an attacker aims
//! at, in normal form, whether or not there is such a user, and by where he
//! sits; never by anything that he may invent.

mod devices;
mod factor_codes;
mod in_flight;
mod notices;
mod rules;
mod second_factors;
mod sends;
mod service_accounts;
mod unverified;

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use self::in_flight::{InFlight, OpenAttempt};
use crate::application::Settings;
use crate::error::{Error, Limit};
use crate::model::{
    Address, ClientContext, DeviceDigest, GroupId, Identifier, NamedUser, PasswordCredential,
    SessionId,
};
use crate::ports::{Budget, Clock, EphemeralStore, Reward, Spending};

pub(crate) use factor_codes::FactorCodeUse;
pub use rules::{Pool, Rule, UnverifiedCounts};
pub(crate) use sends::Sends;
pub(crate) use unverified::Recipient;

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Charges budgets.
pub struct Limits {
    ephemeral: Arc<dyn EphemeralStore>,
    clock: Arc<dyn Clock>,
    names: hmac::Key,
    /// The name of the budget of all messages, which is always the same.
    all_sends: String,
    settings: Arc<Settings>,
    unverified: UnverifiedCounts,
    in_flight: Arc<InFlight>,
}

/// Budgets that were charged, to be given back if nothing comes of it.
#[derive(Debug)]
#[must_use = "what was charged for nothing is to be given back"]
pub(crate) struct Charge {
    budgets: Vec<Budget>,
    /// What is done besides once the code of a message was right.
    reward: Option<Reward>,
    /// Of an attempt: that it is open.
    _open: Option<OpenAttempt>,
}

impl Limits {
    pub(crate) fn new(
        ephemeral: Arc<dyn EphemeralStore>,
        clock: Arc<dyn Clock>,
        names: hmac::Key,
        settings: Arc<Settings>,
    ) -> Self {
        Self {
            ephemeral,
            clock,
            all_sends: name(&names, "send-all", &[]),
            names,
            settings,
            unverified: UnverifiedCounts::default(),
            in_flight: Arc::default(),
        }
    }

    /// How many messages were charged and refused that nobody had verified yet.
    #[must_use]
    pub fn unverified(&self) -> &UnverifiedCounts {
        &self.unverified
    }

    /// Charges an attempt at a password before it is made: to the source over
    /// all accounts first, so that invented names leave nothing behind, then to
    /// the account from that source.
    pub(crate) async fn charge_sign_in(
        &self,
        identifier: &Identifier,
        client: &ClientContext,
    ) -> Result<Charge, Error> {
        let source = client.source();
        let mut budgets = Vec::new();
        if client.ip_address.is_some() {
            let (limit, window) = self.settings.attempts_per_source;
            budgets.push(self.budget("sign-in-source", &[&source], limit, window));
        }
        for &(limit, window) in &self.settings.source_attempts {
            let parts = [
                identifier.kind().as_str(),
                identifier.as_str(),
                &source,
                &window.as_secs().to_string(),
            ];
            budgets.push(self.budget("sign-in", &parts, limit, window));
        }
        self.charge(budgets, Limit::Attempts).await
    }

    /// Charges an attempt at the current password of somebody who is signed in,
    /// before it is made, whatever it is for: to the session, so that who has stolen
    /// its token takes little from the owner's others, and, for as long as the
    /// password is the same, to all sessions of the user together. Strangers have no
    /// share in either, and who is signed in none in the failures of strangers.
    pub(crate) async fn charge_own_password(
        &self,
        session: SessionId,
        credential: &PasswordCredential,
    ) -> Result<Charge, Error> {
        let session = session.to_string();
        let budgets = self.settings.source_attempts.iter();
        let budgets = budgets.map(|&(limit, window)| {
            let parts = [session.as_str(), &window.as_secs().to_string()];
            self.budget("own-password", &parts, limit, window)
        });
        let mut budgets: Vec<_> = budgets.collect();
        let limit = self.settings.password_attempts;
        let set_at = credential.updated_at.as_millis();
        let user = [credential.user_id.to_string(), set_at.to_string()];
        let parts = user.each_ref().map(String::as_str);
        budgets.push(self.budget("own-password-user", &parts, limit, MONTH));
        self.charge(budgets, Limit::Attempts).await
    }

    /// The budget of the wrong answers to the MFA sessions of a user: its name.
    /// Limit and window are [`Self::wrong_codes`].
    pub(crate) fn wrong_answers_of(&self, named: &NamedUser) -> String {
        let (kind, text) = named.parts();
        self.name("mfa-tries", &[kind, &*text])
    }

    /// The series of the MFA sessions of a user.
    pub(crate) fn mfa_sessions_of(&self, group: &GroupId, named: &NamedUser) -> String {
        let (kind, text) = named.parts();
        self.name("mfa-sessions", &[group.as_str(), kind, &*text])
    }

    /// The budget of the wrong codes of an address, or of those that were asked for
    /// on a known device: its name. Limit and window are [`Self::wrong_codes`].
    pub(crate) fn wrong_codes_of(
        &self,
        address: &Address,
        device: Option<&DeviceDigest>,
    ) -> String {
        self.name_of_address("code-tries", address, device)
    }

    /// The name of what belongs to an address, or to it and a known device of its
    /// user, of which strangers have no share.
    fn name_of_address(
        &self,
        kind: &str,
        address: &Address,
        device: Option<&DeviceDigest>,
    ) -> String {
        match device {
            None => self.name(kind, &[address.as_str()]),
            Some(device) => self.name(kind, &[address.as_str(), &device.to_text()]),
        }
    }

    /// How many wrong codes an address has, and in which window.
    pub(crate) fn wrong_codes(&self) -> (u32, Duration) {
        (self.settings.verification.wrong_codes_per_address, DAY)
    }

    /// The row in which attempts at an identifier without attempts are counted.
    pub(crate) fn row_of_nobody(&self, identifier: &Identifier) -> u8 {
        let parts = [identifier.kind().as_str(), identifier.as_str()];
        tag(&self.names, "nobody", &parts).as_ref()[0]
    }

    /// Gives back what was charged.
    pub(crate) async fn refund(&self, charge: Charge) -> Result<(), Error> {
        Ok(self.ephemeral.refund(&charge.budgets).await?)
    }

    /// Gives back an attempt that succeeded, or of which nobody learned whether
    /// it was right, and passes the outcome on. As for failed work, a refund that
    /// fails changes nothing.
    pub(crate) async fn refund_unless_refused<T>(
        &self,
        charge: Charge,
        outcome: Result<T, Error>,
    ) -> Result<T, Error> {
        let is_wrong = outcome.as_ref().is_err_and(Error::is_an_answer);
        if !is_wrong {
            self.refund(charge).await.ok();
        }
        outcome
    }

    /// Gives back what was charged for work that failed for certain, and passes
    /// the outcome on: a message that may go out is charged, and given back by
    /// its code. That the failure may also keep the refund from succeeding
    /// changes nothing: the budget then is too small, never too large.
    pub(crate) async fn refund_if_failed<T>(
        &self,
        charge: Charge,
        outcome: Result<T, Error>,
    ) -> Result<T, Error> {
        let has_failed = outcome.as_ref().is_err_and(|error| !error.is_uncertain());
        if has_failed {
            self.refund(charge).await.ok();
        }
        outcome
    }

    /// The name of something in the ephemeral store. It tells nobody whom it is
    /// about: the parts are hashed under a key.
    pub(crate) fn name(&self, kind: &str, parts: &[&str]) -> String {
        name(&self.names, kind, parts)
    }

    fn budget(&self, kind: &str, parts: &[&str], limit: u32, window: Duration) -> Budget {
        Budget {
            name: self.name(kind, parts),
            limit,
            window,
        }
    }

    async fn charge(&self, budgets: Vec<Budget>, limit: Limit) -> Result<Charge, Error> {
        if budgets.is_empty() {
            return Ok(Charge::to(budgets));
        }
        let mut spending = self.ephemeral.spend(&budgets).await?;
        if limit != Limit::Attempts {
            return Charge::of(budgets, spending, limit);
        }
        if let Spending::Refused { index, retry_after } = &mut spending
            && let Some(budget) = budgets.get(*index)
        {
            *retry_after = self.in_flight.retry_after(budget, *retry_after);
        }
        let charge = Charge::of(budgets, spending, limit)?;
        let open = self.in_flight.open(&charge.budgets);
        Ok(Charge {
            _open: Some(open),
            ..charge
        })
    }
}

impl Charge {
    fn to(budgets: Vec<Budget>) -> Self {
        Self {
            budgets,
            reward: None,
            _open: None,
        }
    }

    /// What is done besides once the code of the message was right.
    pub(crate) fn reward(&self) -> Option<&Reward> {
        self.reward.as_ref()
    }
    /// What was charged, if anything was.
    fn of(budgets: Vec<Budget>, spending: Spending, limit: Limit) -> Result<Self, Error> {
        match spending {
            Spending::Spent => Ok(Self::to(budgets)),
            Spending::Refused { retry_after, .. } => Err(Error::Exhausted { limit, retry_after }),
        }
    }
}

fn name(key: &hmac::Key, kind: &str, parts: &[&str]) -> String {
    let tag = tag(key, kind, parts);
    let mut name = String::with_capacity(kind.len() + 23);
    name.push_str(kind);
    name.push(':');
    URL_SAFE_NO_PAD.encode_string(&tag.as_ref()[..16], &mut name);
    name
}

fn tag(key: &hmac::Key, kind: &str, parts: &[&str]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    for part in [kind].iter().chain(parts) {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    context.sign()
}

impl std::fmt::Debug for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Limits(..)")
    }
}
