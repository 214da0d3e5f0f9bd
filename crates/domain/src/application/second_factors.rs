//! Second factors: sealing their secrets, making recovery codes, and checking
//! what a person answers.
//!
//! All tries at the factors of an account have one budget, whichever factor and
//! sign-in they are for, but for those from known devices, which have one together. A
//! try is charged before it is compared.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::hmac;

use crate::application::{
    Charge, CodeFactors, CodeFactorsOf, Enrollment, Limits, SentCode, SentCodes, SentComparison,
    SentFor,
};
use crate::error::{Error, Refusal};
use crate::model::{
    Code, Factor, FactorId, FactorKind, MfaFactor, RecoveryCode, SealingKey, Secrets, TotpSecret,
    UserId,
};
use crate::ports::{Clock, Random, Store, UnitOfWork};

/// Checks second factors.
pub struct SecondFactors {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    factors: SealingKey,
    recovery: hmac::Key,
    limits: Arc<Limits>,
    code_factors: Arc<CodeFactors>,
    sent_codes: Arc<SentCodes>,
}

/// What a person typed to answer an MFA session, or in a session that goes on.
#[derive(Debug)]
pub(crate) struct TypedAnswer<'a> {
    /// Which code that was sent it may be.
    pub(crate) sent_for: SentFor<'a>,
    /// Whose factors it is an answer of, and where codes may have been sent.
    pub(crate) of: CodeFactorsOf<'a>,
    /// What was typed.
    pub(crate) code: &'a Code,
    /// Whether it comes from a known device of the user.
    pub(crate) from_known_device: bool,
}

/// An answer that is charged, and what it may be.
#[derive(Debug)]
pub(crate) struct TriedAnswer<'a> {
    user: UserId,
    code: &'a Code,
    charge: Charge,
    /// The code that was sent, and the factor that it was sent to.
    sent: Option<(SentCode, MfaFactor)>,
    /// The factor of the code that was sent, once it was this one: it is gone then,
    /// whatever becomes of the unit of work.
    taken: Option<MfaFactor>,
    /// The digest of a recovery code.
    recovery: Option<[u8; 32]>,
    /// Apps that make this code, and in which step.
    steps: Vec<(FactorId, i64)>,
    /// Why an app could not be asked.
    unread: Option<Error>,
    /// Whether another was.
    is_compared: bool,
    /// Whether it is a try. Beside a damaged factor, guesses at the others are.
    costs: bool,
}

impl SecondFactors {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        secrets: &Secrets,
        limits: Arc<Limits>,
        code_factors: Arc<CodeFactors>,
        sent_codes: Arc<SentCodes>,
    ) -> Self {
        Self {
            store,
            clock,
            random,
            factors: secrets.factors.clone(),
            recovery: secrets.recovery.clone(),
            limits,
            code_factors,
            sent_codes,
        }
    }

    /// Charges an answer to a second factor, and reads what it may be. To be given to
    /// [`Self::settle`] afterwards.
    ///
    /// # Errors
    /// Too many tries; what cannot be told.
    pub(crate) async fn begin<'a>(
        &self,
        answer: &TypedAnswer<'a>,
    ) -> Result<TriedAnswer<'a>, Error> {
        let (user, code) = (answer.of.user, answer.code);
        let charged = self
            .limits
            .charge_second_factor(user, answer.from_known_device);
        let mut tried = TriedAnswer {
            user,
            code,
            charge: charged.await?,
            sent: None,
            taken: None,
            recovery: RecoveryCode::typed(code.expose())
                .map(|typed| typed.digest(user, &self.recovery)),
            steps: Vec::new(),
            unread: None,
            is_compared: false,
            costs: false,
        };
        match self.read(answer, &mut tried).await {
            Ok(()) => Ok(tried),
            Err(error) => {
                self.settle(tried).await;
                Err(error)
            }
        }
    }

    /// Reads the code that was sent, if there is one and the user still has the factor
    /// that it was sent to, and the apps.
    async fn read(
        &self,
        answer: &TypedAnswer<'_>,
        tried: &mut TriedAnswer<'_>,
    ) -> Result<(), Error> {
        if let Some(sent) = self.sent_codes.find(answer.sent_for).await? {
            let factor = self.code_factors.find(answer.of, Some(sent.factor)).await?;
            tried.sent = factor
                .filter(|factor| sent.is_of(factor))
                .map(|factor| (sent, MfaFactor::of_address(&factor.address)));
        }
        if tried.recovery.is_some() {
            return Ok(());
        }
        for factor in self.store.factors(answer.of.user).await? {
            // Others make no codes.
            if matches!(&factor, Ok(factor) if factor.kind != FactorKind::Totp) {
                continue;
            }
            let opened = factor.map_err(Error::from).and_then(|factor| {
                let secret = self.open(&factor)?;
                Ok((factor.id, secret))
            });
            match opened {
                Ok((id, secret)) => {
                    tried.is_compared = true;
                    let step = secret.step_of(answer.code.expose(), self.clock.now());
                    tried.steps.extend(step.map(|step| (id, step)));
                }
                Err(error) => tried.unread = Some(error),
            }
        }
        Ok(())
    }

    /// Takes what was typed: the code that was sent for this, a recovery code, or one
    /// of an app. Each is good once. What the database keeps is taken with the unit of
    /// work, in which the user is locked: if that is dropped, it stays good.
    ///
    /// # Errors
    /// A wrong or used code; what cannot be told.
    pub(crate) async fn take(
        &self,
        tried: &mut TriedAnswer<'_>,
        uow: &mut dyn UnitOfWork,
    ) -> Result<MfaFactor, Error> {
        if let Some(factor) = self.take_stored(tried, uow).await? {
            tried.costs = false;
            return Ok(factor);
        }
        tried.costs |= tried.is_compared || tried.unread.is_none();
        Err(tried.unread.take().unwrap_or(Refusal::SecondFactor.into()))
    }

    /// A code that was sent comes first: it may look like a recovery code.
    async fn take_stored(
        &self,
        tried: &mut TriedAnswer<'_>,
        uow: &mut dyn UnitOfWork,
    ) -> Result<Option<MfaFactor>, Error> {
        if let Some((sent, factor)) = tried.sent.take() {
            // Also if it cannot be told whether it was compared.
            tried.costs = true;
            match self.sent_codes.compare(&sent, tried.code).await? {
                SentComparison::Matches => tried.taken = Some(factor),
                SentComparison::Differs => {}
                SentComparison::Absent => tried.costs = false,
            }
        }
        if tried.taken.is_some() {
            return Ok(tried.taken);
        }
        if let Some(digest) = &tried.recovery {
            let is_taken = uow.take_recovery_code(tried.user, digest).await?;
            return Ok(is_taken.then_some(MfaFactor::RecoveryCode));
        }
        for (id, step) in &tried.steps {
            if uow.move_factor_forward(*id, *step).await? {
                return Ok(Some(MfaFactor::Totp));
            }
        }
        Ok(None)
    }

    /// Gives a try back that was none: the answer was right, or was not compared.
    pub(crate) async fn settle(&self, tried: TriedAnswer<'_>) {
        if !tried.costs {
            self.limits.refund(tried.charge).await.ok();
        }
    }

    /// The factor that a confirmed enrolment of an app becomes. The step of the
    /// code that confirmed it is used.
    pub(crate) fn seal(
        &self,
        enrollment: &Enrollment,
        secret: &TotpSecret,
        last_step: i64,
    ) -> Factor {
        let (id, user_id) = (enrollment.id, enrollment.user.id);
        Factor {
            id,
            user_id,
            kind: FactorKind::Totp,
            label: enrollment.label.clone(),
            sealed: self
                .factors
                .seal(&name(id, user_id), secret.expose(), &*self.random),
            last_step,
            created_at: self.clock.now(),
            enrolled_by: None,
        }
    }

    fn open(&self, factor: &Factor) -> Result<TotpSecret, Error> {
        let name = name(factor.id, factor.user_id);
        match self.factors.open(&name, &factor.sealed) {
            Ok(plain) => Ok(TotpSecret::from_bytes(&plain)),
            Err(error) => Err(Error::Internal(format!("factor {} {error}", factor.id))),
        }
    }

    /// New recovery codes, and what is to be kept of them.
    pub(crate) fn new_recovery_codes(&self, user: UserId) -> (Vec<RecoveryCode>, Vec<[u8; 32]>) {
        let codes: Vec<_> = (0..RecoveryCode::COUNT)
            .map(|_| RecoveryCode::generate(&*self.random))
            .collect();
        let digests = codes.iter().map(|code| code.digest(user, &self.recovery));
        let digests = digests.collect();
        (codes, digests)
    }
}

/// What a secret is bound to.
fn name(id: FactorId, user: UserId) -> String {
    format!("factor {id} of {user}")
}

impl fmt::Debug for SecondFactors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecondFactors(..)")
    }
}
