//! Sending the code with which a person is authenticated again in a session.

use crate::application::{Application, FactorCodeUse, NewCode, SentFor};
use crate::error::{Error, Refusal};
use crate::model::{ClientContext, CodeFactor, FactorId, Locale, Timestamp};
use crate::ports::Clock as _;

/// Somebody wants to show a code in a session.
#[derive(Debug)]
pub struct SendStepUpCode {
    /// The person's access token.
    pub access_token: String,
    /// The address, by its factor; the oldest one if none is named.
    pub factor_id: Option<FactorId>,
    /// The caller, which must be the session's.
    pub client_id: String,
    /// The language of the message.
    pub locale: Locale,
    /// The device.
    pub client: ClientContext,
}

/// A code is on its way.
#[derive(Debug)]
pub struct SentStepUpCode {
    /// Where to.
    pub factor: CodeFactor,
    /// From when on it is not accepted.
    pub expires_at: Timestamp,
    /// When the next one may be sent.
    pub resend_at: Timestamp,
}

impl SendStepUpCode {
    /// Makes a code in place of an earlier one of the session, and queues its
    /// message.
    ///
    /// # Errors
    /// An access token that is not good, or of a session of another caller; an
    /// address that is no factor of the person, or not verified any more; too many
    /// messages; no sender.
    pub async fn execute(self, app: &Application) -> Result<SentStepUpCode, Error> {
        let person = app.people.of_caller(&self.access_token, &self.client_id);
        let person = person.await?;
        if app.messages.sender().is_none() {
            return Err(Refusal::SenderMissing.into());
        }
        let of = app.code_factors.of_session(&person.user)?;
        let factor = app.code_factors.find(of, self.factor_id).await?;
        let factor = factor.ok_or(Refusal::Factor)?;
        let (limits, used) = (&app.limits, FactorCodeUse::StepUp);
        let charged = limits.charge_factor_code(&factor.address, &self.client, used);
        let charge = charged.await?;
        let new = NewCode {
            sent_for: SentFor::StepUp(person.session.id, person.user.credential_version),
            factor: factor.id,
            to: Some(&factor.address),
            locale: self.locale,
            ends_at: person.session.expires_at,
        };
        let sent = app.sent_codes.send(new, &charge, &app.messages).await;
        Ok(SentStepUpCode {
            expires_at: limits.refund_if_failed(charge, sent).await?,
            resend_at: app.clock.now().plus(app.settings.verification.cooldown),
            factor,
        })
    }
}
