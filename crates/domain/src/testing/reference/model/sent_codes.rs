//! Codes that are sent as second factors: each is good once, for what it was sent
//! for, and as long as it would be sent to that address still.

use super::super::call::{Call, FactorCode};
use super::super::step::Pick;
use super::kept::{CodeAddress, SentCode, Shows};
use super::state::{CODE_TTL, FactorKind, Model, TRIES, place};
use super::{Asked, Says};
use crate::model::Timestamp;

impl Model {
    /// Enrolled addresses, but the one that was proved already. If that is the only
    /// factor, the others of the person stand in.
    pub(super) fn offered(&self, user: usize, proved: Option<u8>) -> Vec<CodeAddress> {
        let factors = self.factors_of(user);
        let enrolled: Vec<_> = factors
            .iter()
            .filter_map(|factor| self.code_address(*factor))
            .collect();
        let is_proved = |to: &CodeAddress| Some(to.address) == proved;
        let is_only_proved = !factors.is_empty()
            && enrolled.len() == factors.len()
            && enrolled.iter().all(is_proved);
        let stand_in = |&address: &u8| CodeAddress {
            factor: None,
            address,
        };
        let mut all = match is_only_proved {
            true => self.users[user].addresses.iter().map(stand_in).collect(),
            false => enrolled,
        };
        all.retain(|to| !is_proved(to));
        all
    }

    /// Keeps a new code in the place of the one before it.
    pub(super) fn keep_sent(&mut self, shows: Shows, to: CodeAddress, ends_at: Timestamp) -> usize {
        self.forget_sent(shows);
        let user = match shows {
            Shows::StepUp(own) => Some(self.proven(self.sessions[own].user)),
            Shows::Mfa(_) | Shows::Enrollment(_) => None,
        };
        self.sent.push(SentCode {
            code: String::new(),
            to,
            shows,
            user,
            wrong: 0,
            expires_at: self.now.0.plus(CODE_TTL).min(ends_at),
            is_gone: false,
        });
        self.sent.len() - 1
    }

    fn forget_sent(&mut self, shows: Shows) {
        for sent in self.sent.iter_mut().filter(|sent| sent.shows == shows) {
            sent.is_gone = true;
        }
    }

    /// The code that waits for this.
    pub(super) fn waiting(&self, shows: Shows) -> Option<usize> {
        let is_it = |sent: &SentCode| {
            let is_current = sent.user.is_none_or(|user| self.is_current(user));
            let is_there = !sent.is_gone && self.now.0 < sent.expires_at;
            sent.shows == shows && is_current && is_there
        };
        self.sent.iter().position(is_it)
    }

    /// Compares with a code that waits. Whatever else is typed is a wrong try of it.
    pub(super) fn try_sent(&mut self, sent: usize, typed: &FactorCode) -> bool {
        let sent = &mut self.sent[sent];
        let is_right = *typed == FactorCode::Text(sent.code.clone());
        sent.wrong += u32::from(!is_right);
        sent.is_gone = is_right || sent.wrong == TRIES;
        is_right
    }

    /// Who has shown no first factor does not learn whether there is anything to send
    /// a code to.
    pub(super) fn send_mfa_code(
        &mut self,
        which: Pick,
        (other_group, other_client): (bool, bool),
        factor: Pick,
        is_offered: bool,
    ) -> Option<Asked> {
        let which = place(&self.mfa, which)?;
        let mfa = &self.mfa[which];
        let (id, to) = if is_offered {
            let offered = mfa.offered.as_ref()?;
            let offered = &offered[place(offered, factor)?];
            (offered.id.clone(), Some(offered.to))
        } else {
            let factor = place(&self.factors, factor)?;
            (self.factors[factor].id.clone(), self.code_address(factor))
        };
        let call = Call::SendMfaCode {
            group: mfa.group ^ u8::from(other_group),
            id: mfa.id.clone(),
            factor: id,
            client: mfa.client ^ u8::from(other_client),
        };
        let is_there = !mfa.is_gone && self.now.0 < mfa.expires_at && mfa.code.is_none();
        if !is_there || other_group || other_client {
            return Some(Asked::refused(call, "MFA_SESSION_NOT_FOUND"));
        }
        let user = mfa.user.filter(|proven| self.is_current(*proven));
        let (has_shown, ends_at) = (!mfa.shown.is_empty(), mfa.expires_at);
        if has_shown && user.is_none() {
            return Some(Asked::refused(call, "MFA_SESSION_NOT_FOUND"));
        }
        let offered = user.map(|proven| self.offered(proven.user, mfa.proved));
        let to = to.filter(|to| offered.is_some_and(|offered| offered.contains(to)));
        let says = match to {
            Some(to) => Says::CodeSent(Some(self.keep_sent(Shows::Mfa(which), to, ends_at))),
            None if has_shown => Says::Refused("FACTOR_NOT_FOUND"),
            None => {
                self.forget_sent(Shows::Mfa(which));
                Says::CodeSent(None)
            }
        };
        Some(Asked { call, says })
    }

    /// The oldest factor if none is named.
    pub(super) fn send_step_up_code(
        &mut self,
        token: Pick,
        other_client: bool,
        factor: Option<Pick>,
    ) -> Option<Asked> {
        let token = place(&self.access, token)?;
        let factor = match factor {
            Some(factor) => Some(place(&self.factors, factor)?),
            None => None,
        };
        let call = Call::SendStepUpCode {
            token: self.access[token].text.clone(),
            factor: factor.map(|factor| self.factors[factor].id.clone()),
            client: self.client_of(token, other_client),
        };
        let own = match self.person_of_caller(token, other_client) {
            Ok(own) => own,
            Err(reason) => return Some(Asked::refused(call, reason)),
        };
        let mut offered = self.offered(self.sessions[own].user, None).into_iter();
        let to = offered.find(|to| factor.is_none() || to.factor == factor);
        let ends_at = self.sessions[own].expires_at;
        let says = match to {
            Some(to) => Says::CodeSent(Some(self.keep_sent(Shows::StepUp(own), to, ends_at))),
            None => Says::Refused("FACTOR_NOT_FOUND"),
        };
        Some(Asked { call, says })
    }

    fn code_address(&self, factor: usize) -> Option<CodeAddress> {
        match self.factors[factor].kind {
            FactorKind::Address(address) => Some(CodeAddress {
                factor: Some(factor),
                address,
            }),
            FactorKind::App { .. } | FactorKind::Passkey(_) => None,
        }
    }
}
