//! MFA sessions, and what they are answered with.

use super::super::call::{Call, FactorCode, NamedUser};
use super::super::step::{Guess, Pick};
use super::factors::{Right, Showing};
use super::kept::Shows;
use super::sign_in::Entry;
use super::state::{Answering, CODE_TTL, Claim, Mfa, Model, TRIES, place};
use super::step_up::with;
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
        let user = self.unless_suspended(user);
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
            proved: None,
            offered: None,
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
        let presented = self.presented(mfa.code.as_ref(), guess)?;
        let call = Call::ValidateMfaSession {
            group: mfa.group ^ u8::from(other_group),
            id: mfa.id.clone(),
            code: presented.clone(),
            client: mfa.client ^ u8::from(other_client),
            remember,
        };
        let is_there = !mfa.is_gone && self.now.0 < mfa.expires_at;
        if !is_there || other_group || other_client {
            return Some(Asked::refused(call, "MFA_SESSION_NOT_FOUND"));
        }
        let answered = match (&mfa.code, guess) {
            // It asks for no factor.
            (Some(_), Guess::Passkey { .. }) => Err("MFA_SESSION_NOT_FOUND"),
            (Some(kept), _) => {
                let is_right = presented == FactorCode::Text(kept.clone());
                self.try_kept_code(which, is_right)
            }
            (None, _) => self.try_factor(which, guess, &presented),
        };
        let says = match answered {
            Err(reason) => Says::Refused(reason),
            Ok(right) => self.answered(which, &right, remember),
        };
        Some(Asked { call, says })
    }

    fn try_kept_code(&mut self, which: usize, is_right: bool) -> Result<Right, &'static str> {
        let mfa = &mut self.mfa[which];
        mfa.wrong += u32::from(!is_right);
        mfa.is_gone = is_right || mfa.wrong == TRIES;
        let right = Right {
            methods: &["otp"],
            is_two: false,
        };
        is_right.then_some(right).ok_or("CODE_WRONG")
    }

    fn try_factor(
        &mut self,
        which: usize,
        guess: Guess,
        presented: &FactorCode,
    ) -> Result<Right, &'static str> {
        let mfa = &self.mfa[which];
        let known = mfa
            .user
            .and_then(|proven| self.known_device(mfa.claim, proven));
        let showing = Showing {
            shows: Shows::Mfa(which),
            answering: mfa.answering.clone(),
            proved: mfa.proved,
            is_known_device: known.is_some(),
        };
        let right = self.show(&showing, guess, presented)?;
        self.mfa[which].is_gone = true;
        Ok(right)
    }

    /// It is not enough if the password is another one by now, or an address was given
    /// up.
    fn answered(&mut self, which: usize, right: &Right, remember: bool) -> Says {
        let mfa = &self.mfa[which];
        let Some(proven) = mfa.user else {
            return Says::Refused("SIGN_IN_REFUSED");
        };
        if !self.is_current(proven) {
            return Says::Refused("MFA_SESSION_NOT_FOUND");
        }
        let mut methods = with(&mfa.shown, right.methods);
        if right.is_two || !mfa.shown.is_empty() {
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
