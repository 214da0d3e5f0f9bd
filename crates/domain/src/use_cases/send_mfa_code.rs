//! Sending the code with which an MFA session is answered.

use crate::application::{Application, CodeFactorsOf, FactorCodeUse, NewCode, SentFor};
use crate::error::{Error, Refusal};
use crate::model::{
    ClientContext, FactorId, GroupId, Locale, MfaFactor, MfaSessionId, MfaSessionRecord, Timestamp,
    UserId,
};
use crate::ports::Clock as _;

/// Somebody wants to answer an MFA session with a code.
#[derive(Debug)]
pub struct SendMfaCode {
    /// The group in which it was created.
    pub group: GroupId,
    /// Which.
    pub id: MfaSessionId,
    /// The address, by its factor.
    pub factor_id: FactorId,
    /// The caller, which must be the one that created it.
    pub client_id: String,
    /// The language of the message.
    pub locale: Locale,
    /// The device.
    pub client: ClientContext,
}

/// A code is on its way, or nobody can tell that it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentMfaCode {
    /// From when on it is not accepted.
    pub expires_at: Timestamp,
    /// When the next one may be sent.
    pub resend_at: Timestamp,
}

impl SendMfaCode {
    /// Makes a code in place of an earlier one, and queues its message. Where
    /// nobody has shown a first factor, there is an answer whether or not there is
    /// such a user or factor.
    ///
    /// # Errors
    /// An MFA session that is gone, or is answered with its own code; an address
    /// that it is not answered with; too many messages; no sender.
    pub async fn execute(self, app: &Application) -> Result<SentMfaCode, Error> {
        let found = app
            .mfa_sessions
            .find(&self.id, &self.group, &self.client_id);
        let record = found.await?;
        if record.factors.contains(&MfaFactor::Code) {
            return Err(Refusal::MfaSession.into());
        }
        if app.messages.sender().is_none() {
            return Err(Refusal::SenderMissing.into());
        }
        let user = record.answering().ok_or(Refusal::MfaSession)?;
        let is_current = is_current(app, &record).await?;
        let is_told = record.stand_in.is_none();
        if is_told && !is_current {
            return Err(Refusal::MfaSession.into());
        }
        let of = CodeFactorsOf::mfa_session(user, &record);
        let factor = app.code_factors.find(of, Some(self.factor_id)).await?;
        let factor = factor.filter(|_| is_current);
        if is_told && factor.is_none() {
            return Err(Refusal::Factor.into());
        }
        let used = self.used(app, user, &record).await?;
        let charge = match &factor {
            Some(factor) => {
                let (limits, to) = (&app.limits, &factor.address);
                limits.charge_factor_code(to, &self.client, used).await?
            }
            None => {
                let limits = &app.limits;
                let charged = limits.charge_factor_code_to_nobody(user, &self.client, used);
                charged.await?
            }
        };
        let new = NewCode {
            sent_for: SentFor::MfaSession(&self.id),
            factor: self.factor_id,
            to: factor.as_ref().map(|factor| &factor.address),
            locale: self.locale,
            ends_at: record.expires_at,
        };
        let sent = app.sent_codes.send(new, &charge, &app.messages).await;
        let expires_at = app.limits.refund_if_failed(charge, sent).await?;
        let cooldown = app.settings.verification.cooldown;
        Ok(SentMfaCode {
            expires_at,
            resend_at: app.clock.now().plus(cooldown),
        })
    }

    /// Which budgets the code is charged to.
    async fn used(
        &self,
        app: &Application,
        user: UserId,
        record: &MfaSessionRecord,
    ) -> Result<FactorCodeUse, Error> {
        if record.shown.is_empty() {
            return Ok(FactorCodeUse::MfaSession);
        }
        let known = app.devices.find(record.known_as).await?;
        let proven = record.user.filter(|proven| proven.id == user);
        let is_known = proven
            .zip(known)
            .is_some_and(|(proven, device)| device.is_of(proven));
        Ok(match is_known {
            true => FactorCodeUse::SignInOnKnownDevice,
            false => FactorCodeUse::SignIn,
        })
    }
}

/// Whether the user is active, and has set no new password since.
async fn is_current(app: &Application, record: &MfaSessionRecord) -> Result<bool, Error> {
    let nobody = UserId::from_bytes([0; 16]);
    let id = record.user.map_or(nobody, |proven| proven.id);
    let now = app.clock.now();
    let user = app.store.user(id).await?.filter(|user| user.is_active(now));
    let proven = record.user.zip(user.as_ref());
    Ok(proven.is_some_and(|(proven, user)| proven.is_current(user)))
}
