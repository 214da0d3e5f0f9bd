//! Authenticator apps and recovery codes.

use super::super::call::{Call, FactorCode};
use super::super::step::Pick;
use super::state::{
    Charged, ENROLLMENT_TTL, Enrollment, FACTORS_PER_USER, Factor, Model, WRONG, place,
};
use super::{Asked, Says};

impl Model {
    pub(super) fn begin_enrollment(&mut self, token: Pick) -> Option<Asked> {
        let token = place(&self.access, token)?;
        let call = Call::BeginEnrollment {
            token: self.access[token].text.clone(),
        };
        let user = match self.fresh_person(token) {
            Ok(own) => self.sessions[own].user,
            Err(reason) => return Some(Asked::refused(call, reason)),
        };
        if self.factors_of(user).len() >= FACTORS_PER_USER {
            return Some(Asked::refused(call, "FACTOR_LIMIT_REACHED"));
        }
        if !self.charge(Charged::Enrollments(user)) {
            return Some(Asked::refused(call, "TOO_MANY_ATTEMPTS"));
        }
        self.enrollments.push(Enrollment {
            id: String::new(),
            secret: String::new(),
            user: self.proven(user),
            expires_at: self.now.0.plus(ENROLLMENT_TTL),
            is_taken: false,
        });
        let says = Says::Enrollment(self.enrollments.len() - 1);
        Some(Asked { call, says })
    }

    /// The first factor comes with recovery codes.
    pub(super) fn confirm_enrollment(
        &mut self,
        token: Pick,
        which: Pick,
        offset: Option<i64>,
    ) -> Option<Asked> {
        let (token, which) = (
            place(&self.access, token)?,
            place(&self.enrollments, which)?,
        );
        let enrollment = &self.enrollments[which];
        let step = offset.map(|offset| self.present_step() + offset);
        let code = match step {
            Some(step) => FactorCode::Totp {
                secret: enrollment.secret.clone(),
                step,
            },
            None => FactorCode::Text(WRONG.into()),
        };
        let call = Call::ConfirmEnrollment {
            token: self.access[token].text.clone(),
            id: enrollment.id.clone(),
            code,
        };
        let user = match self.fresh_person(token) {
            Ok(own) => self.sessions[own].user,
            Err(reason) => return Some(Asked::refused(call, reason)),
        };
        let enrollment = &self.enrollments[which];
        let is_there = !enrollment.is_taken
            && self.now.0 < enrollment.expires_at
            && enrollment.user == self.proven(user);
        if !is_there {
            return Some(Asked::refused(call, "ENROLLMENT_NOT_FOUND"));
        }
        let charged = Charged::Confirmations(which);
        if !self.charge(charged.clone()) {
            return Some(Asked::refused(call, "TOO_MANY_ATTEMPTS"));
        }
        let is_shown = |step: &i64| (step - self.present_step()).abs() <= 1;
        let Some(step) = step.filter(is_shown) else {
            return Some(Asked::refused(call, "SECOND_FACTOR_WRONG"));
        };
        let others = self.factors_of(user).len();
        if others >= FACTORS_PER_USER {
            return Some(Asked::refused(call, "FACTOR_LIMIT_REACHED"));
        }
        self.give_back(&charged);
        self.enrollments[which].is_taken = true;
        self.factors.push(Factor {
            id: String::new(),
            secret: self.enrollments[which].secret.clone(),
            user,
            last_step: step,
            created_at: self.now.0,
            is_removed: false,
        });
        let says = Says::Factor {
            factor: self.factors.len() - 1,
            has_codes: others == 0,
        };
        Some(Asked { call, says })
    }

    /// With the last factor the recovery codes go.
    pub(super) fn remove_factor(&mut self, token: Pick, factor: Pick) -> Option<Asked> {
        let (token, factor) = (place(&self.access, token)?, place(&self.factors, factor)?);
        let call = Call::RemoveFactor {
            token: self.access[token].text.clone(),
            id: self.factors[factor].id.clone(),
        };
        let user = match self.fresh_person(token) {
            Ok(own) => self.sessions[own].user,
            Err(reason) => return Some(Asked::refused(call, reason)),
        };
        if self.factors[factor].user != user || self.factors[factor].is_removed {
            return Some(Asked::refused(call, "FACTOR_NOT_FOUND"));
        }
        self.factors[factor].is_removed = true;
        if self.factors_of(user).is_empty() {
            self.void_recovery_codes(user);
        }
        self.forget_what_was_shown(user);
        Some(Asked {
            call,
            says: Says::Done,
        })
    }

    pub(super) fn new_recovery_codes(&mut self, token: Pick) -> Option<Asked> {
        let token = place(&self.access, token)?;
        let call = Call::RegenerateRecoveryCodes {
            token: self.access[token].text.clone(),
        };
        let user = match self.fresh_person(token) {
            Ok(own) => self.sessions[own].user,
            Err(reason) => return Some(Asked::refused(call, reason)),
        };
        if self.factors_of(user).is_empty() {
            return Some(Asked::refused(call, "FACTOR_NOT_FOUND"));
        }
        self.void_recovery_codes(user);
        self.forget_what_was_shown(user);
        Some(Asked {
            call,
            says: Says::RecoveryCodes { user },
        })
    }

    pub(super) fn list_factors(&mut self, token: Pick) -> Option<Asked> {
        let token = place(&self.access, token)?;
        let call = Call::ListFactors {
            token: self.access[token].text.clone(),
        };
        let says = match self.person(token) {
            Err(reason) => Says::Refused(reason),
            Ok(own) => {
                let user = self.sessions[own].user;
                let good = self.recovery.iter();
                let good = good.filter(|code| code.user == user && code.is_good);
                Says::Factors {
                    factors: self.factors_of(user),
                    recovery_left: u32::try_from(good.count()).unwrap_or(u32::MAX),
                }
            }
        };
        Some(Asked { call, says })
    }

    fn void_recovery_codes(&mut self, user: usize) {
        for code in self.recovery.iter_mut().filter(|code| code.user == user) {
            code.is_good = false;
        }
    }

    /// It may be what has been removed.
    fn forget_what_was_shown(&mut self, user: usize) {
        let is_theirs = |user_of: Option<super::state::Proven>| {
            user_of.is_some_and(|proven| proven.user == user)
        };
        for device in self.devices.iter_mut().filter(|d| is_theirs(d.user)) {
            device.shown_at = None;
        }
    }
}
