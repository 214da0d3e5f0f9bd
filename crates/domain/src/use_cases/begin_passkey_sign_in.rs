//! Asking for a passkey that signs in by itself.

use crate::application::{Application, BegunAssertion, PasskeyChallenges};
use crate::error::Error;
use crate::model::{ClientContext, GroupId, RequestOptions};

/// Somebody wants to sign in with a passkey.
#[derive(Debug)]
pub struct BeginPasskeySignIn {
    /// In which group.
    pub group: GroupId,
    /// The caller, which gets the tokens.
    pub client_id: String,
    /// The device.
    pub client: ClientContext,
}

impl BeginPasskeySignIn {
    /// Makes a challenge. No user is named: the passkey tells whose it is.
    ///
    /// # Errors
    /// Passkeys are not taken; too many challenges for the source.
    pub async fn execute(self, app: &Application) -> Result<BegunAssertion, Error> {
        let relying_party = app.passkeys.relying_party()?;
        let charge = app.limits.charge_passkey_sign_in(&self.client).await?;
        let made = app
            .passkey_challenges
            .of_sign_in(&self.group, &self.client_id)
            .await;
        let made = app.limits.refund_if_failed(charge, made).await?;
        let options = RequestOptions {
            relying_party,
            challenge: &made.challenge,
            allow: &[],
            is_verification_required: true,
            timeout: PasskeyChallenges::TTL,
        };
        Ok(BegunAssertion {
            options: options.to_json(),
            expires_at: made.expires_at,
        })
    }
}
