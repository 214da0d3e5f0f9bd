//! Enrolling a second factor: an authenticator app once it has made a code of the
//! secret that was shown, a passkey once it has answered the challenge, an address
//! once the code that was sent to it has come back.

mod answer;
mod begin;
mod begin_with_code;
mod options;

use self::answer::Answered;
pub use self::answer::EnrollmentAnswer;
use self::begin::MOST;
pub use self::begin::{BeginEnrollment, BegunEnrollment};
pub use self::begin_with_code::BeginCodeEnrollment;
use crate::application::{Application, Enrollment, Person, Repeats};
use crate::error::{Error, Refusal};
use crate::model::{Address, AuditAction, Factor, FactorId, Locale, ProvenUser, RecoveryCode};
use crate::ports::{Clock as _, Content, StoreError};

/// Somebody shows the first code of the app, the one that was sent, or the new
/// passkey.
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
        let attempt = || app.event_of(AuditAction::FactorEnrolled, &person);
        let mut answered = match self.answer.check(app, &enrollment) {
            // Nothing was compared.
            Err(error @ Error::Invalid(_)) => {
                app.limits.refund(charge).await.ok();
                return Err(error);
            }
            outcome => outcome.inspect_err(|error| app.refused.note(attempt(), error))?,
        };
        answered.factor.enrolled_by = Some(person.session.authentication());
        let confirmation = Confirmation {
            notified: app.store.addresses(person.user.id).await?,
            answered,
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
            let restored = confirmation.answered.restore(app, &confirmation.enrollment);
            restored.await.ok();
        }
        let recovery_codes = enrolled.inspect_err(|error| {
            let attempt = app.event_of(AuditAction::FactorEnrolled, &confirmation.person);
            app.refused.note(attempt, error);
        })?;
        app.limits.refund(charge).await.ok();
        app.messages.queued();
        Ok(EnrolledFactor {
            factor: confirmation.answered.factor,
            recovery_codes,
        })
    }
}

/// An enrolment whose answer was right.
struct Confirmation {
    person: Person,
    enrollment: Enrollment,
    answered: Answered,
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
        let now = app.clock.now();
        user.filter(|user| user.is_active(now) && self.enrollment.user.is_current(user))
            .ok_or(Refusal::AccessToken(None))?;
        let others = uow.count_factors(self.person.user.id).await?;
        if others >= MOST {
            return Err(Refusal::TooManyFactors.into());
        }
        // Once, however often this is repeated.
        if !*is_taken {
            let compared = self.answered.compare(app, &self.enrollment, &self.notified);
            compared.await?;
            app.enrollments.take(self.enrollment.id).await?;
            *is_taken = true;
        }
        let Answered {
            factor, credential, ..
        } = &self.answered;
        let inserted = uow.insert_factor(factor, credential.as_ref()).await;
        inserted.map_err(|error| match error {
            StoreError::Taken if factor.kind.is_address() => Refusal::FactorEnrolled.into(),
            // A credential that is a factor already, whoever's.
            StoreError::Taken if credential.is_some() => Refusal::SecondFactor.into(),
            error => Error::from(error),
        })?;
        // What was shown on devices does not stand for the new one.
        uow.forget_shown_factors(self.person.user.id).await?;
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
        let event = app.event_of(AuditAction::FactorEnrolled, &self.person);
        let event = event
            .named(factor.id.to_string())
            .with_detail(factor.kind.as_str());
        uow.insert_audit_event(&event).await?;
        uow.commit().await?;
        Ok(codes)
    }
}
