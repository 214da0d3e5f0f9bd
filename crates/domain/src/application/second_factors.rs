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
    CodeFactors, CodeFactorsOf, Enrollment, Limits, SentCodes, SentComparison, SentFor,
};
use crate::error::{Error, Refusal};
use crate::model::{
    Code, Factor, FactorId, FactorKind, MfaFactor, RecoveryCode, SealingKey, Secrets, TotpSecret,
    UserId,
};
use crate::ports::{Clock, Random, Store, StoreError};

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

/// What comes of a comparison.
enum Compared {
    Right(MfaFactor),
    Wrong,
    /// It could not be told. If something was compared, the try counts: else a
    /// damaged factor would let the others be guessed at for nothing.
    Unknown {
        error: Error,
        is_charged: bool,
    },
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

    /// Checks a code of a user: one of an enrolled authenticator, or a recovery code.
    /// Each is good once. From a known device of the user it is charged to those.
    ///
    /// # Errors
    /// A wrong or used code; too many tries; what cannot be told.
    pub async fn check(
        &self,
        user: UserId,
        code: &Code,
        from_known_device: bool,
    ) -> Result<MfaFactor, Error> {
        let compared = self.compare(user, code);
        self.charged(user, from_known_device, compared).await
    }

    /// Checks what was typed: the code that was sent for it, or one that
    /// [`Self::check`] takes.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub(crate) async fn check_answer(&self, answer: &TypedAnswer<'_>) -> Result<MfaFactor, Error> {
        let compared = self.compare_with_all(answer);
        self.charged(answer.of.user, answer.from_known_device, compared)
            .await
    }

    /// Charges a try, and only then compares.
    async fn charged(
        &self,
        user: UserId,
        from_known_device: bool,
        compared: impl Future<Output = Compared>,
    ) -> Result<MfaFactor, Error> {
        let charge = self
            .limits
            .charge_second_factor(user, from_known_device)
            .await?;
        match compared.await {
            Compared::Right(factor) => {
                self.limits.refund(charge).await.ok();
                Ok(factor)
            }
            Compared::Wrong => Err(Refusal::SecondFactor.into()),
            Compared::Unknown { error, is_charged } => {
                if !is_charged {
                    self.limits.refund(charge).await.ok();
                }
                Err(error)
            }
        }
    }

    /// A code that was sent comes first: it may look like a recovery code.
    async fn compare_with_all(&self, answer: &TypedAnswer<'_>) -> Compared {
        let is_wrong = match self.compare_sent(answer).await {
            Some(Compared::Wrong) => true,
            Some(compared) => return compared,
            None => false,
        };
        match self.compare(answer.of.user, answer.code).await {
            Compared::Unknown { error, is_charged } => Compared::Unknown {
                error,
                is_charged: is_charged || is_wrong,
            },
            compared => compared,
        }
    }

    /// Compares with the code that was sent for this, if there is one and
    /// the user still has the factor that it was sent to.
    async fn compare_sent(&self, answer: &TypedAnswer<'_>) -> Option<Compared> {
        let unknown = |is_charged| move |error| Compared::Unknown { error, is_charged };
        let compared = async {
            let sent = self.sent_codes.find(answer.sent_for);
            let Some(sent) = sent.await.map_err(unknown(false))? else {
                return Ok(None);
            };
            let factor = self.code_factors.find(answer.of, Some(sent.factor));
            let factor = factor.await.map_err(unknown(false))?;
            let Some(factor) = factor.filter(|factor| sent.is_of(factor)) else {
                return Ok(None);
            };
            let compared = self.sent_codes.compare(&sent, answer.code);
            Ok(match compared.await.map_err(unknown(true))? {
                SentComparison::Matches => {
                    Some(Compared::Right(MfaFactor::of_address(&factor.address)))
                }
                SentComparison::Differs => Some(Compared::Wrong),
                SentComparison::Absent => None,
            })
        };
        compared.await.unwrap_or_else(Some)
    }

    async fn compare(&self, user: UserId, code: &Code) -> Compared {
        let unknown = |error: StoreError, is_charged| Compared::Unknown {
            error: error.into(),
            is_charged,
        };
        if let Some(code) = RecoveryCode::typed(code.expose()) {
            let digest = code.digest(user, &self.recovery);
            return match self.store.take_recovery_code(user, &digest).await {
                Ok(true) => Compared::Right(MfaFactor::RecoveryCode),
                Ok(false) => Compared::Wrong,
                Err(error) => unknown(error, true),
            };
        }
        let factors = match self.store.factors(user).await {
            Ok(factors) => factors,
            Err(error) => return unknown(error, false),
        };
        let (mut unread, mut is_charged) = (None, false);
        for factor in factors {
            // Others make no codes.
            if matches!(&factor, Ok(factor) if factor.kind != FactorKind::Totp) {
                continue;
            }
            let opened = factor.map_err(Error::from).and_then(|factor| {
                let secret = self.open(&factor)?;
                Ok((factor.id, secret))
            });
            let (id, secret) = match opened {
                Ok(opened) => opened,
                Err(error) => {
                    unread = Some(error);
                    continue;
                }
            };
            is_charged = true;
            let Some(step) = secret.step_of(code.expose(), self.clock.now()) else {
                continue;
            };
            match self.store.move_factor_forward(id, step).await {
                Ok(true) => return Compared::Right(MfaFactor::Totp),
                Ok(false) => {}
                Err(error) => return unknown(error, true),
            }
        }
        match unread {
            Some(error) => Compared::Unknown { error, is_charged },
            None => Compared::Wrong,
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
