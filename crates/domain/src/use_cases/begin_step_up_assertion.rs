//! Asking a passkey of a person for its answer in a session that goes on.

use crate::application::{Application, BegunAssertion, PasskeyChallenges};
use crate::error::Error;
use crate::model::RequestOptions;

/// Somebody wants to show a passkey in a session.
#[derive(Debug)]
pub struct BeginStepUpAssertion {
    /// The person's access token.
    pub access_token: String,
    /// The caller, which must be the session's.
    pub client_id: String,
}

impl BeginStepUpAssertion {
    /// Makes a challenge in place of an earlier one of the session. A person without a
    /// passkey has one that is made up.
    ///
    /// # Errors
    /// Passkeys are not taken; an access token that is not good, or of a session of
    /// another caller; passkeys none of which can be read.
    pub async fn execute(self, app: &Application) -> Result<BegunAssertion, Error> {
        let relying_party = app.passkeys.relying_party()?;
        let person = app.people.of_caller(&self.access_token, &self.client_id);
        let person = person.await?;
        let mut allow = app.passkeys.credentials(person.user.id).await?;
        if allow.is_empty() {
            allow.push(app.limits.made_up_credential(person.user.id).to_vec());
        }
        let made = app.passkey_challenges.of_session(person.session.id).await?;
        let options = RequestOptions {
            relying_party,
            challenge: &made.challenge,
            allow: &allow,
            is_verification_required: false,
            timeout: PasskeyChallenges::TTL,
        };
        Ok(BegunAssertion {
            options: options.to_json(),
            expires_at: made.expires_at,
        })
    }
}
