//! Enrolling an authenticator app: a secret is shown, and becomes a second factor
//! once the app has made a code of it.

use crate::application::{Application, Enrollment, Person, Repeats};
use crate::error::{Error, Refusal};
use crate::model::{
    Address, Code, Factor, FactorId, FactorLabel, Locale, ProvenUser, RecoveryCode,
};
use crate::ports::{Clock as _, Content};

/// How many factors a user has at the most: each is one more that a guess may hit.
const MOST: u32 = 5;

/// Somebody begins to enrol an authenticator app.
#[derive(Debug)]
pub struct BeginEnrollment {
    /// The person's access token.
    pub access_token: String,
    /// What the person calls it.
    pub label: FactorLabel,
}

/// What is shown to the person.
#[derive(Debug)]
pub struct BegunEnrollment {
    /// The enrolment, with the secret.
    pub enrollment: Enrollment,
    /// The name of the account in the app: an address, or the user's id.
    pub account: String,
}

/// Somebody shows the first code of the app.
#[derive(Debug)]
pub struct ConfirmEnrollment {
    /// The person's access token.
    pub access_token: String,
    /// Which enrolment.
    pub enrollment_id: FactorId,
    /// The code.
    pub code: Code,
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
    /// Makes a secret.
    ///
    /// # Errors
    /// An access token that is not good or of a sign-in that is too old; as many
    /// factors as one may have; too many enrolments.
    pub async fn execute(self, app: &Application) -> Result<BegunEnrollment, Error> {
        let person = app.people.by_fresh_access_token(&self.access_token).await?;
        let user = person.user;
        let factors = app.store.factors(user.id).await?;
        if factors.len() >= MOST as usize {
            return Err(Refusal::TooManyFactors.into());
        }
        let addresses = app.store.addresses(user.id).await?;
        let charge = app.limits.charge_enrollment(user.id).await?;
        let begun = app
            .enrollments
            .begin(ProvenUser::of(&user), self.label)
            .await;
        Ok(BegunEnrollment {
            enrollment: app.limits.refund_if_failed(charge, begun).await?,
            account: match addresses.first() {
                Some(address) => address.as_str().to_owned(),
                None => user.id.to_string(),
            },
        })
    }
}

impl ConfirmEnrollment {
    /// Enrols the app as a factor, and tells the owner's addresses.
    ///
    /// # Errors
    /// An access token that is not good or of a sign-in that is too old; an
    /// enrolment that is not there any more; a wrong code; too many tries.
    pub async fn execute(self, app: &Application) -> Result<EnrolledFactor, Error> {
        let person = app.people.by_fresh_access_token(&self.access_token).await?;
        let user = ProvenUser::of(&person.user);
        let enrollment = app.enrollments.find(self.enrollment_id, user).await?;
        let charge = app.limits.charge_confirmation(enrollment.id).await?;
        let code = self.code.expose();
        let Some(step) = enrollment.secret.step_of(code, app.clock.now()) else {
            return Err(Refusal::SecondFactor.into());
        };
        let confirmation = Confirmation {
            notified: app.store.addresses(person.user.id).await?,
            factor: app.second_factors.seal(&enrollment, step),
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

/// An enrolment whose code was right.
struct Confirmation {
    person: Person,
    enrollment: Enrollment,
    factor: Factor,
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
        uow.insert_factor(&self.factor).await?;
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
