//! Asking a passkey for its answer to an MFA session.

use crate::application::{Application, BegunAssertion, PasskeyChallenges};
use crate::error::{Error, Refusal};
use crate::model::{GroupId, MfaFactor, MfaSessionId, RequestOptions};

/// Somebody wants to answer an MFA session with a passkey.
#[derive(Debug)]
pub struct BeginMfaAssertion {
    /// The group in which it was created.
    pub group: GroupId,
    /// Which.
    pub id: MfaSessionId,
    /// The caller, which must be the one that created it.
    pub client_id: String,
}

impl BeginMfaAssertion {
    /// Makes a challenge in place of an earlier one. A user without a passkey, or
    /// whom there is not, has one that is made up.
    ///
    /// # Errors
    /// Passkeys are not taken; an MFA session that is gone, or is answered with
    /// its own code; passkeys none of which can be read.
    pub async fn execute(self, app: &Application) -> Result<BegunAssertion, Error> {
        let relying_party = app.passkeys.relying_party()?;
        let found = app
            .mfa_sessions
            .find(&self.id, &self.group, &self.client_id);
        let record = found.await?;
        if record.factors.contains(&MfaFactor::Code) {
            return Err(Refusal::MfaSession.into());
        }
        let answering = record.answering().ok_or(Refusal::MfaSession)?;
        let mut allow = app.passkeys.credentials(answering).await?;
        if allow.is_empty() {
            allow.push(app.limits.made_up_credential(answering).to_vec());
        }
        let made = app.passkey_challenges.of_mfa_session(&self.id).await?;
        let options = RequestOptions {
            relying_party,
            challenge: &made.challenge,
            allow: &allow,
            is_verification_required: false,
            timeout: PasskeyChallenges::TTL,
        };
        Ok(BegunAssertion {
            options: options.to_json(),
            expires_at: made.expires_at.min(record.expires_at),
        })
    }
}
