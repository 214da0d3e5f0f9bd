//! Enrolling a second factor: an authenticator app once it has made a code of the
//! secret that was shown, a passkey once it has answered the challenge.

mod answer;
mod options;

pub use self::answer::EnrollmentAnswer;
use self::options::creation_options;
use crate::application::{Application, Enrollment, Person, Repeats};
use crate::error::{Error, Refusal};
use crate::model::{
    Address, CredentialDigest, Factor, FactorId, FactorKind, FactorLabel, Locale, ProvenUser,
    RecoveryCode,
};
use crate::ports::{Content, StoreError};

/// How many factors a user has at the most: each is one more that a guess may hit.
const MOST: u32 = 5;

/// Somebody begins to enrol an authenticator.
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

/// Somebody shows the first code of the app, or the new passkey.
#[derive(Debug)]
pub struct ConfirmEnrollment {
    /// The person's access token.
    pub access_token: String,
    /// Which enrolment.
    pub enrollment_id: FactorId,
    /// What the authenticator shows.
    pub answer: EnrollmentAnswer,
    /// The language of the notice.
    pub locale: Locale,
}

/// A factor that was enrolled.
#[derive(Debug)]
pub struct EnrolledFactor {
    /// The factor.
    pub factor: Factor,
    /// With the first factor, the recovery codes, which are shown once.
    pub recovery_codes: Vec<RecoveryCode>,
}

impl BeginEnrollment {
    /// Makes a secret or a challenge.
    ///
    /// # Errors
    /// No passkeys are taken; an access token that is not good or not of a fresh,
    /// full sign-in; as many factors as one may have; too many enrolments.
    pub async fn execute(self, app: &Application) -> Result<BegunEnrollment, Error> {
        if self.kind == FactorKind::Passkey {
            app.passkeys.relying_party()?;
        }
        let person = app.people.by_fresh_access_token(&self.access_token).await?;
        let user = person.user;
        let factors = app.store.factors(user.id).await?;
        if factors.len() >= MOST as usize {
            return Err(Refusal::TooManyFactors.into());
        }
        let addresses = app.store.addresses(user.id).await?;
        let charge = app.limits.charge_enrollment(user.id).await?;
        let account = addresses.first().map(|address| address.as_str().to_owned());
        let account = account.unwrap_or_else(|| user.id.to_string());
        let begun = async {
            let user = ProvenUser::of(&user);
            let begun = app.enrollments.begin(user, self.kind, self.label);
            let enrollment = begun.await?;
            Ok(BegunEnrollment {
                creation_options: creation_options(app, &enrollment, &account).await?,
                enrollment,
                account,
            })
        };
        app.limits.refund_if_failed(charge, begun.await).await
    }
}

impl ConfirmEnrollment {
    /// Enrols the authenticator as a factor, and tells the owner's addresses.
    ///
    /// # Errors
    /// An access token that is not good or not of a fresh, full sign-in; an
    /// enrolment that is gone; a wrong answer, or of another kind; too many tries.
    pub async fn execute(self, app: &Application) -> Result<EnrolledFactor, Error> {
        let person = app.people.by_fresh_access_token(&self.access_token).await?;
        let user = ProvenUser::of(&person.user);
        let enrollment = app.enrollments.find(self.enrollment_id, user).await?;
        let charge = app.limits.charge_confirmation(enrollment.id).await?;
        let (factor, credential) = match self.answer.factor(app, &enrollment) {
            // Nothing was compared.
            Err(error @ Error::Invalid(_)) => {
                app.limits.refund(charge).await.ok();
                return Err(error);
            }
            outcome => outcome?,
        };
        let confirmation = Confirmation {
            notified: app.store.addresses(person.user.id).await?,
            factor,
            credential,
            locale: self.locale,
            enrollment,
            person,
        };
        let (mut repeats, mut is_taken) = (Repeats::default(), false);
        let enrolled = loop {
            match confirmation.commit(app, &mut is_taken).await {
                Err(error) if repeats.allow(&error) => {}
                outcome => break outcome,
            }
        };
        if enrolled.is_err() && is_taken {
            // As well as can be: the person may begin anew.
            app.enrollments.keep(&confirmation.enrollment).await.ok();
        }
        let recovery_codes = enrolled?;
        app.limits.refund(charge).await.ok();
        app.messages.queued();
        Ok(EnrolledFactor {
            factor: confirmation.factor,
            recovery_codes,
        })
    }
}

/// An enrolment whose answer was right.
struct Confirmation {
    person: Person,
    enrollment: Enrollment,
    factor: Factor,
    credential: Option<CredentialDigest>,
    notified: Vec<Address>,
    locale: Locale,
}

impl Confirmation {
    async fn commit(
        &self,
        app: &Application,
        is_taken: &mut bool,
    ) -> Result<Vec<RecoveryCode>, Error> {
        let mut uow = app.store.begin().await?;
        let user = uow.lock_user(self.person.user.id).await?;
        user.filter(|user| user.is_active() && self.enrollment.user.is_current(user))
            .ok_or(Refusal::AccessToken(None))?;
        let others = uow.count_factors(self.person.user.id).await?;
        if others >= MOST {
            return Err(Refusal::TooManyFactors.into());
        }
        // Once, however often this is repeated.
        if !*is_taken {
            app.enrollments.take(self.enrollment.id).await?;
            *is_taken = true;
        }
        let inserted = uow.insert_factor(&self.factor, self.credential.as_ref());
        let inserted = inserted.await;
        inserted.map_err(|error| match error {
            // A credential that is a factor already, whoever's.
            StoreError::Taken if self.credential.is_some() => Refusal::SecondFactor.into(),
            error => Error::from(error),
        })?;
        let mut codes = Vec::new();
        if others == 0 {
            let (made, digests) = app.second_factors.new_recovery_codes(self.person.user.id);
            uow.put_recovery_codes(self.person.user.id, &digests)
                .await?;
            codes = made;
        }
        let content = Content::FactorAdded;
        for notice in app
            .messages
            .notices(&self.notified, self.locale, &content)?
        {
            uow.insert_message(&notice).await?;
        }
        uow.commit().await?;
        Ok(codes)
    }
}
