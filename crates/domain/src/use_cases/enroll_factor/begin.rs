//! Beginning to enrol an authenticator app or a passkey.

use super::options::creation_options;
use crate::application::{Application, Enrollment};
use crate::error::{Error, Refusal};
use crate::model::{FactorKind, FactorLabel, ProvenUser, User};

/// How many factors a user has at the most: each is one more that a guess may hit.
pub(super) const MOST: u32 = 5;

/// Somebody begins to enrol an app or a passkey.
#[derive(Debug)]
pub struct BeginEnrollment {
    /// The person's access token.
    pub access_token: String,
    /// What it is.
    pub kind: FactorKind,
    /// What the person calls it.
    pub label: FactorLabel,
}

/// What is shown to the person.
#[derive(Debug)]
pub struct BegunEnrollment {
    /// The enrolment, with what the authenticator is given.
    pub enrollment: Enrollment,
    /// The name of the account: an address, or the user's id.
    pub account: String,
    /// Of a passkey: a PublicKeyCredentialCreationOptionsJSON.
    pub creation_options: Option<String>,
}

impl BeginEnrollment {
    /// Makes a secret or a challenge.
    ///
    /// # Errors
    /// No passkeys are taken; an access token that is not good or not of a fresh,
    /// full sign-in; as many factors as one may have; too many enrolments.
    pub async fn execute(self, app: &Application) -> Result<BegunEnrollment, Error> {
        let given = match self.kind {
            FactorKind::Totp => app.enrollments.new_secret(),
            FactorKind::Passkey => {
                app.passkeys.relying_party()?;
                app.enrollments.new_challenge()
            }
            FactorKind::Sms | FactorKind::Email => {
                let rule = "must be that of an app or a passkey: an address is sent a code";
                return Err(Error::invalid("kind", rule));
            }
        };
        let user = beginner(app, &self.access_token).await?;
        let addresses = app.store.addresses(user.id).await?;
        let charge = app.limits.charge_enrollment(user.id).await?;
        let account = addresses.first().map(|address| address.as_str().to_owned());
        let account = account.unwrap_or_else(|| user.id.to_string());
        let begun = async {
            let user = ProvenUser::of(&user);
            let enrollment = app.enrollments.begin(user, self.label, given, None).await?;
            Ok(BegunEnrollment {
                creation_options: creation_options(app, &enrollment, &account).await?,
                enrollment,
                account,
            })
        };
        app.limits.refund_if_failed(charge, begun.await).await
    }
}

/// The user who begins an enrolment, and has room for one more factor.
pub(super) async fn beginner(app: &Application, access_token: &str) -> Result<User, Error> {
    let person = app.people.by_fresh_access_token(access_token).await?;
    let factors = app.store.factors(person.user.id).await?;
    if factors.len() >= MOST as usize {
        return Err(Refusal::TooManyFactors.into());
    }
    Ok(person.user)
}
