//! MFA sessions, and what they are answered with.

use super::super::call::{Call, FactorCode, NamedUser};
use super::super::step::{Guess, Pick};
use super::sign_in::Entry;
use super::state::{Answering, CODE_TTL, Charged, Claim, Mfa, Model, TRIES, WRONG, place};
use super::{Asked, Says};

impl Model {
    /// Nobody learns whether there is such a user.
    pub(super) fn create_mfa(
        &mut self,
        group: u8,
        address: u8,
        by_id: bool,
        has_code: bool,
        client: u8,
    ) -> Option<Asked> {
        let (user, named, nobody) = if by_id {
            let user = place(&self.users, Pick(address))?;
            let id = self.users[user].id.clone();
            let is_there = self.users[user].group == group;
            let user = is_there.then_some(user);
            (user, NamedUser::Id(id.clone()), Answering::NobodyCalled(id))
        } else {
            let user = self.holder(group, address);
            let named = NamedUser::Address(address);
            (user, named, Answering::NobodyAt(address))
        };
        let code = has_code.then(|| (200_000 + self.mfa.len()).to_string());
        let call = Call::CreateMfaSession {
            group,
            user: named,
            code: code.clone(),
            client,
        };
        let answering = user.map_or(nobody, Answering::User);
        if has_code {
            // One at a time for each user.
            let is_before = |mfa: &&mut Mfa| {
                mfa.code.is_some() && (mfa.group, &mfa.answering) == (group, &answering)
            };
            for before in self.mfa.iter_mut().filter(is_before) {
                before.is_gone = true;
            }
        }
        self.mfa.push(Mfa {
            id: String::new(),
            group,
            client,
            user: user.map(|user| self.proven(user)),
            answering,
            shown: Vec::new(),
            code,
            claim: Claim::Untold,
            wrong: 0,
            expires_at: self.now.0.plus(CODE_TTL),
            is_gone: false,
        });
        let says = Says::MfaSession(self.mfa.len() - 1);
        Some(Asked { call, says })
    }

    pub(super) fn answer_mfa(
        &mut self,
        which: Pick,
        (other_group, other_client): (bool, bool),
        guess: Guess,
        remember: bool,
    ) -> Option<Asked> {
        let which = place(&self.mfa, which)?;
        let mfa = &self.mfa[which];
        let code = self.typed(which, guess)?;
        let call = Call::ValidateMfaSession {
            group: mfa.group ^ u8::from(other_group),
            id: mfa.id.clone(),
            code: code.clone(),
            client: mfa.client ^ u8::from(other_client),
            remember,
        };
        let is_there = !mfa.is_gone && self.now.0 < mfa.expires_at;
        if !is_there || other_group || other_client {
            return Some(Asked::refused(call, "MFA_SESSION_NOT_FOUND"));
        }
        let answered = match &mfa.code {
            Some(kept) => {
                let is_right = code == FactorCode::Text(kept.clone());
                self.try_kept_code(which, is_right)
            }
            None => self.try_factor(which, guess),
        };
        let says = match answered {
            Err(reason) => Says::Refused(reason),
            Ok(()) => self.answered(which, remember),
        };
        Some(Asked { call, says })
    }

    /// What is typed, if it is anything that there is.
    fn typed(&self, which: usize, guess: Guess) -> Option<FactorCode> {
        let text = match guess {
            Guess::Kept => self.mfa[which].code.clone()?,
            Guess::Wrong => WRONG.into(),
            Guess::Recovery(pick) => self.recovery[place(&self.recovery, pick)?].text.clone(),
            Guess::Totp(pick, offset) => {
                return Some(FactorCode::Totp {
                    secret: self.factors[place(&self.factors, pick)?].secret.clone(),
                    step: self.present_step() + offset,
                });
            }
        };
        Some(FactorCode::Text(text))
    }

    fn try_kept_code(&mut self, which: usize, is_right: bool) -> Result<(), &'static str> {
        let mfa = &mut self.mfa[which];
        mfa.wrong += u32::from(!is_right);
        mfa.is_gone = is_right || mfa.wrong == TRIES;
        if is_right { Ok(()) } else { Err("CODE_WRONG") }
    }

    /// Each code works once, for whatever it is shown. All wrong ones of a user
    /// are counted together.
    fn try_factor(&mut self, which: usize, guess: Guess) -> Result<(), &'static str> {
        let mfa = &self.mfa[which];
        let known = mfa
            .user
            .and_then(|proven| self.known_device(mfa.claim, proven));
        let charged = Charged::Factor(mfa.answering.clone(), known.is_some());
        let user = match mfa.answering {
            Answering::User(user) => Some(user),
            Answering::NobodyAt(_) | Answering::NobodyCalled(_) => None,
        };
        if !self.charge(charged.clone()) {
            return Err("TOO_MANY_ATTEMPTS");
        }
        let is_right = match guess {
            Guess::Kept | Guess::Wrong => false,
            Guess::Recovery(pick) => {
                let place = place(&self.recovery, pick).expect("it was typed");
                let code = &mut self.recovery[place];
                let is_right = code.is_good && Some(code.user) == user;
                code.is_good &= !is_right;
                is_right
            }
            Guess::Totp(pick, offset) => {
                let step = self.present_step() + offset;
                let place = place(&self.factors, pick).expect("it was typed");
                let factor = &mut self.factors[place];
                let is_theirs = Some(factor.user) == user && !factor.is_removed;
                let is_right = is_theirs && offset.abs() <= 1 && step > factor.last_step;
                if is_right {
                    factor.last_step = step;
                }
                is_right
            }
        };
        if !is_right {
            return Err("SECOND_FACTOR_WRONG");
        }
        self.give_back(&charged);
        self.mfa[which].is_gone = true;
        Ok(())
    }

    /// It is not enough if the password is another one by now.
    fn answered(&mut self, which: usize, remember: bool) -> Says {
        let mfa = &self.mfa[which];
        let Some(proven) = mfa.user else {
            return Says::Refused("SIGN_IN_REFUSED");
        };
        if !self.is_current(proven) {
            return Says::Refused("MFA_SESSION_NOT_FOUND");
        }
        let mut methods = mfa.shown.clone();
        if !methods.contains(&"otp") {
            methods.push("otp");
        }
        if !mfa.shown.is_empty() {
            methods.push("mfa");
        }
        let (client, claim) = (mfa.client, mfa.claim);
        self.let_in(Entry {
            user: proven.user,
            client,
            methods,
            claim,
            remember,
        })
    }
}
