//! What an authenticator shows to be enrolled.

use tracing::info;

use crate::application::{Application, Enrollment, Given};
use crate::error::{Error, Refusal};
use crate::model::{Code, CredentialDigest, Factor, Registration};
use crate::ports::Clock as _;

/// What an authenticator shows to be enrolled.
#[derive(Debug)]
pub enum EnrollmentAnswer {
    /// The code that an app shows.
    Code(Code),
    /// A passkey that was made.
    Passkey(Box<Registration>),
}

impl EnrollmentAnswer {
    /// The factor that the authenticator becomes; of a passkey with what it is
    /// found by.
    ///
    /// # Errors
    /// A wrong answer; one of another kind of authenticator; passkeys are not
    /// taken any more.
    pub(super) fn factor(
        self,
        app: &Application,
        enrollment: &Enrollment,
    ) -> Result<(Factor, Option<CredentialDigest>), Error> {
        match (self, &enrollment.given) {
            (Self::Code(code), Given::Totp(secret)) => {
                let step = secret.step_of(code.expose(), app.clock.now());
                let step = step.ok_or(Refusal::SecondFactor)?;
                Ok((app.second_factors.seal(enrollment, secret, step), None))
            }
            (Self::Passkey(registration), Given::Passkey(challenge)) => {
                let relying_party = app.passkeys.relying_party()?;
                let registered = registration.verify(relying_party, challenge);
                let registered = registered.map_err(|fault| {
                    info!(enrollment = %enrollment.id, %fault, "a new passkey is refused");
                    Refusal::SecondFactor
                })?;
                let factor = app.passkeys.seal(enrollment, &registered);
                Ok((factor, Some(registered.passkey.digest())))
            }
            (_, Given::Totp(_)) => Err(Error::invalid("code", "must be given, of the app")),
            (_, Given::Passkey(_)) => {
                let rule = "must be given: what is enrolled is a passkey";
                Err(Error::invalid("credential", rule))
            }
        }
    }
}
