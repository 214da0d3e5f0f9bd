//! Second factors and recovery codes that come and go.

use super::super::answer::Given;
use super::super::call::{Call, FactorCode, NewFactor};
use super::super::step::{At, Pick};
use super::kept::{CodeAddress, Proven, Shows};
use super::state::{
    CODE_TTL, Charged, ENROLLMENT_TTL, Enrollment, FACTORS_PER_USER, Factor, FactorKind, Model,
    WRONG, place,
};
use super::{Asked, Says};

impl Model {
    pub(super) fn begin_enrollment(&mut self, token: Pick, factor: NewFactor<At>) -> Option<Asked> {
        let token = place(&self.access, token)?;
        let user = self.sessions[self.access[token].session].user;
        let factor = match factor {
            NewFactor::Address(at) => NewFactor::Address(self.address_at(user, at)?),
            NewFactor::App => NewFactor::App,
            NewFactor::Passkey => NewFactor::Passkey,
        };
        let call = Call::BeginEnrollment {
            token: self.access[token].text.clone(),
            factor,
        };
        if let Err(reason) = self.may_enroll(token, user, factor) {
            return Some(Asked::refused(call, reason));
        }
        if !self.charge(Charged::Enrollments(user)) {
            return Some(Asked::refused(call, "TOO_MANY_ATTEMPTS"));
        }
        let ttl = match factor {
            NewFactor::Address(_) => CODE_TTL,
            NewFactor::App | NewFactor::Passkey => ENROLLMENT_TTL,
        };
        let expires_at = self.now.0.plus(ttl);
        self.enrollments.push(Enrollment {
            id: String::new(),
            given: None,
            user: self.proven(user),
            expires_at,
            is_taken: false,
        });
        let enrollment = self.enrollments.len() - 1;
        if let NewFactor::Address(address) = factor {
            let to = CodeAddress {
                factor: None,
                address,
            };
            self.keep_sent(Shows::Enrollment(enrollment), to, expires_at);
        }
        let says = Says::Enrollment { enrollment, factor };
        Some(Asked { call, says })
    }

    fn may_enroll(
        &self,
        token: usize,
        user: usize,
        factor: NewFactor<u8>,
    ) -> Result<(), &'static str> {
        self.fresh_person(token)?;
        if self.factors_of(user).len() >= FACTORS_PER_USER {
            return Err("FACTOR_LIMIT_REACHED");
        }
        match factor {
            NewFactor::Address(at) if !self.users[user].addresses.contains(&at) => {
                Err("ADDRESS_NOT_VERIFIED")
            }
            NewFactor::Address(at) if self.is_enrolled(user, at) => Err("FACTOR_ALREADY_ENROLLED"),
            _ => Ok(()),
        }
    }

    fn is_enrolled(&self, user: usize, address: u8) -> bool {
        let factors = self.factors_of(user);
        let is_it = |factor: &usize| self.factors[*factor].kind == FactorKind::Address(address);
        factors.iter().any(is_it)
    }

    /// The first factor comes with recovery codes, and what was shown on devices does
    /// not stand for the new one.
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
        let (code, kind) = self.shown_for(which, offset)?;
        let call = Call::ConfirmEnrollment {
            token: self.access[token].text.clone(),
            id: self.enrollments[which].id.clone(),
            code,
        };
        let own = match self.fresh_person(token) {
            Ok(own) => own,
            Err(reason) => return Some(Asked::refused(call, reason)),
        };
        let user = self.sessions[own].user;
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
        let others = self.factors_of(user).len();
        let kind = match self.try_enrollment(user, others, kind) {
            Ok(kind) => kind,
            Err(reason) => return Some(Asked::refused(call, reason)),
        };
        self.give_back(&charged);
        self.enrollments[which].is_taken = true;
        self.factors.push(Factor {
            id: String::new(),
            kind,
            user,
            created_at: self.now.0,
            enrolled_by: (own, self.sessions[own].authenticated_at),
            is_removed: false,
        });
        self.forget_what_was_shown(user);
        let says = Says::Factor {
            factor: self.factors.len() - 1,
            has_codes: others == 0,
        };
        Some(Asked { call, says })
    }

    /// What is shown to confirm an enrolment, and the factor that comes of it, if it is
    /// what an app shows about now, or a passkey has made, or was sent.
    fn shown_for(
        &self,
        which: usize,
        offset: Option<i64>,
    ) -> Option<(FactorCode, Option<FactorKind>)> {
        let wrong = || FactorCode::Text(WRONG.into());
        let key = self.factors.len();
        Some(match (self.enrollments[which].given.as_ref()?, offset) {
            (Given::App(_) | Given::Code { .. }, None) => (wrong(), None),
            (Given::App(secret), Some(offset)) => {
                let step = self.present_step() + offset;
                let code = FactorCode::Totp {
                    secret: secret.clone(),
                    step,
                };
                let kind = FactorKind::App {
                    secret: secret.clone(),
                    last_step: step,
                };
                (code, (offset.abs() <= 1).then_some(kind))
            }
            (Given::Code { to, code }, Some(_)) => (
                FactorCode::Text(code.clone()),
                Some(FactorKind::Address(*to)),
            ),
            (Given::Passkey(options), Some(_)) => {
                let options = options.clone();
                let code = FactorCode::NewPasskey { key, options };
                (code, Some(FactorKind::Passkey(key)))
            }
            (Given::Passkey(_), None) => return None,
        })
    }

    /// Whether the answer makes a factor.
    fn try_enrollment(
        &self,
        user: usize,
        others: usize,
        kind: Option<FactorKind>,
    ) -> Result<FactorKind, &'static str> {
        let kind = kind.ok_or("SECOND_FACTOR_WRONG")?;
        if others >= FACTORS_PER_USER {
            return Err("FACTOR_LIMIT_REACHED");
        }
        match kind {
            FactorKind::Address(address) if self.is_enrolled(user, address) => {
                Err("FACTOR_ALREADY_ENROLLED")
            }
            kind => Ok(kind),
        }
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
        self.void_codes_without_factor(user);
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

    /// Recovery codes stand in for factors.
    pub(super) fn void_codes_without_factor(&mut self, user: usize) {
        if self.factors_of(user).is_empty() {
            self.void_recovery_codes(user);
        }
    }

    fn void_recovery_codes(&mut self, user: usize) {
        for code in self.recovery.iter_mut().filter(|code| code.user == user) {
            code.is_good = false;
        }
    }

    /// It may be what has been removed.
    fn forget_what_was_shown(&mut self, user: usize) {
        let is_theirs = |user_of: Option<Proven>| user_of.is_some_and(|proven| proven.user == user);
        for device in self.devices.iter_mut().filter(|d| is_theirs(d.user)) {
            device.shown_at = None;
        }
    }
}
