//! Second factors: sealing their secrets, making recovery codes, and checking
//! what a person answers.
//!
//! All tries at the factors of an account have one budget, whichever factor and
//! sign-in they are for, but for those from known devices, which have one together. A
//! try is charged before it is compared.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::hmac;

use crate::application::{Enrollment, Limits};
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
    ) -> Self {
        Self {
            store,
            clock,
            random,
            factors: secrets.factors.clone(),
            recovery: secrets.recovery.clone(),
            limits,
        }
    }

    /// Checks the answer of a user: a code of one of the enrolled authenticators,
    /// or a recovery code. Each is good once. From a known device of the user it is
    /// charged to those.
    ///
    /// # Errors
    /// A wrong or used code; too many tries; what cannot be told.
    pub async fn check(
        &self,
        user: UserId,
        code: &Code,
        from_known_device: bool,
    ) -> Result<MfaFactor, Error> {
        let charge = self
            .limits
            .charge_second_factor(user, from_known_device)
            .await?;
        match self.compare(user, code).await {
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
            // Passkeys make no codes.
            if matches!(&factor, Ok(factor) if factor.kind == FactorKind::Passkey) {
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
