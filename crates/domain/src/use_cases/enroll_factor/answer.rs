//! What a person shows to enrol a factor.

use tracing::info;

use crate::application::{Application, Enrollment, Given, SentComparison, SentFor};
use crate::error::{Error, Refusal};
use crate::model::{Address, Code, CodeFactor, CredentialDigest, Factor, Registration};
use crate::ports::Clock as _;

/// What a person shows to enrol a factor.
#[derive(Debug)]
pub enum EnrollmentAnswer {
    /// The code that an app shows, or that was sent.
    Code(Code),
    /// A passkey that was made.
    Passkey(Box<Registration>),
}

/// An answer that is right as far as could be told before the unit of work.
pub(super) struct Answered {
    /// The factor that comes of it.
    pub(super) factor: Factor,
    /// What it is found by.
    pub(super) credential: Option<CredentialDigest>,
    /// The code that is still to be compared with the one that was sent.
    typed: Option<(Code, Address)>,
}

impl EnrollmentAnswer {
    /// The factor that the enrolment becomes.
    ///
    /// # Errors
    /// A wrong answer; one of another kind of factor; passkeys are not taken any
    /// more.
    pub(super) fn check(
        self,
        app: &Application,
        enrollment: &Enrollment,
    ) -> Result<Answered, Error> {
        match (self, &enrollment.given) {
            (Self::Code(code), Given::Totp(secret)) => {
                let step = secret.step_of(code.expose(), app.clock.now());
                let step = step.ok_or(Refusal::SecondFactor)?;
                Ok(Answered {
                    factor: app.second_factors.seal(enrollment, secret, step),
                    credential: None,
                    typed: None,
                })
            }
            (Self::Code(code), Given::Code(address)) => {
                let user = enrollment.user.id;
                Ok(Answered {
                    factor: app.code_factors.seal(enrollment, address),
                    credential: Some(app.limits.credential_of_address(user, address)),
                    typed: Some((code, address.clone())),
                })
            }
            (Self::Passkey(registration), Given::Passkey(challenge)) => {
                let relying_party = app.passkeys.relying_party()?;
                let registered = registration.verify(relying_party, challenge);
                let registered = registered.map_err(|fault| {
                    info!(enrollment = %enrollment.id, %fault, "a new passkey is refused");
                    Refusal::SecondFactor
                })?;
                Ok(Answered {
                    factor: app.passkeys.seal(enrollment, &registered),
                    credential: Some(registered.passkey.digest()),
                    typed: None,
                })
            }
            (_, Given::Totp(_)) => Err(Error::invalid("code", "must be given, of the app")),
            (_, Given::Code(_)) => Err(Error::invalid("code", "must be given: it was sent")),
            (_, Given::Passkey(_)) => {
                let rule = "must be given: what is enrolled is a passkey";
                Err(Error::invalid("credential", rule))
            }
        }
    }
}

impl Answered {
    /// Compares with the code that was sent, which is gone if it is right. The
    /// address must still be one of the person's.
    pub(super) async fn compare(
        &self,
        app: &Application,
        enrollment: &Enrollment,
        addresses: &[Address],
    ) -> Result<(), Error> {
        let Some((code, address)) = &self.typed else {
            return Ok(());
        };
        if !addresses.contains(address) {
            return Err(Refusal::AddressUnverified.into());
        }
        let sent = app.sent_codes.find(SentFor::Enrollment(enrollment.id));
        let sent = sent.await?.ok_or(Refusal::Enrollment)?;
        match app.sent_codes.compare(&sent, code).await? {
            SentComparison::Matches => Ok(()),
            SentComparison::Differs => Err(Refusal::SecondFactor.into()),
            SentComparison::Absent => Err(Refusal::Enrollment.into()),
        }
    }

    /// Keeps the code again that was right for what could not be done.
    pub(super) async fn restore(
        &self,
        app: &Application,
        enrollment: &Enrollment,
    ) -> Result<(), Error> {
        let Some((code, address)) = &self.typed else {
            return Ok(());
        };
        let factor = CodeFactor {
            id: enrollment.id,
            address: address.clone(),
        };
        let sent_for = SentFor::Enrollment(enrollment.id);
        let expires_at = enrollment.expires_at;
        app.sent_codes
            .restore(sent_for, factor, code, expires_at)
            .await
    }
}
