//! Asking for a passkey that signs in by itself.

use crate::application::{Application, BegunAssertion, PasskeyChallenges};
use crate::error::Error;
use crate::model::{GroupId, RequestOptions, SignInWay};

/// Somebody wants to sign in with a passkey.
#[derive(Debug)]
pub struct BeginPasskeySignIn {
    /// In which group.
    pub group: GroupId,
    /// The caller, which gets the tokens.
    pub client_id: String,
}

impl BeginPasskeySignIn {
    /// Makes a challenge. No user is named: the passkey tells whose it is. Nothing
    /// is kept and nobody is charged: what is never answered costs nothing.
    ///
    /// # Errors
    /// No such group, or one that does not let people in with passkeys; passkeys are
    /// not taken.
    pub fn execute(self, app: &Application) -> Result<BegunAssertion, Error> {
        let rules = app.groups.named(&self.group)?;
        rules.require_way(SignInWay::Passkey)?;
        let relying_party = app.passkeys.relying_party()?;
        let challenges = &app.passkey_challenges;
        let made = challenges.of_sign_in(&self.group, &self.client_id);
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
