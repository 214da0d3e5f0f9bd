//! What passkeys are asked, and what they answer.

use super::super::call::{Call, FactorCode, Grant};
use super::super::step::{self, Pick};
use super::factors::Right;
use super::kept::{Asks, Challenge, Shows};
use super::sign_in::Entry;
use super::state::{CHALLENGE_TTL, Factor, FactorKind, Model, place};
use super::{Asked, Says};

/// What a passkey signs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Assertion {
    factor: usize,
    challenge: usize,
    is_verified: bool,
}

impl Model {
    /// A passkey, removed ones too, and any challenge.
    pub(super) fn assertion(
        &self,
        key: Pick,
        challenge: Pick,
        is_verified: bool,
    ) -> Option<Assertion> {
        let is_key = |factor: &usize| self.factors[*factor].key().is_some();
        let keys: Vec<_> = (0..self.factors.len()).filter(is_key).collect();
        Some(Assertion {
            factor: keys[place(&keys, key)?],
            challenge: place(&self.challenges, challenge)?,
            is_verified,
        })
    }

    pub(super) fn signed(&self, shown: &Assertion) -> FactorCode {
        FactorCode::Passkey {
            key: self.factors[shown.factor].key().unwrap_or(0),
            options: self.challenges[shown.challenge].options.clone(),
            is_verified: shown.is_verified,
        }
    }

    pub(super) fn begin_passkey_sign_in(&mut self, group: u8, client: u8) -> Asked {
        let call = Call::BeginPasskeySignIn { group, client };
        let says = self.ask_passkey(Asks::SignIn { group, client });
        Asked { call, says }
    }

    pub(super) fn begin_mfa_assertion(
        &mut self,
        which: Pick,
        (other_group, other_client): (bool, bool),
    ) -> Option<Asked> {
        let which = place(&self.mfa, which)?;
        let mfa = &self.mfa[which];
        let call = Call::BeginMfaAssertion {
            group: mfa.group ^ u8::from(other_group),
            id: mfa.id.clone(),
            client: mfa.client ^ u8::from(other_client),
        };
        let is_there = !mfa.is_gone && self.now.0 < mfa.expires_at && mfa.code.is_none();
        if !is_there || other_group || other_client {
            return Some(Asked::refused(call, "MFA_SESSION_NOT_FOUND"));
        }
        let says = self.ask_passkey(Asks::Second(Shows::Mfa(which)));
        Some(Asked { call, says })
    }

    pub(super) fn begin_step_up_assertion(
        &mut self,
        token: Pick,
        other_client: bool,
    ) -> Option<Asked> {
        let token = place(&self.access, token)?;
        let call = Call::BeginStepUpAssertion {
            token: self.access[token].text.clone(),
            client: self.client_of(token, other_client),
        };
        let says = match self.person_of_caller(token, other_client) {
            Ok(own) => self.ask_passkey(Asks::Second(Shows::StepUp(own))),
            Err(reason) => Says::Refused(reason),
        };
        Some(Asked { call, says })
    }

    /// It takes the place of an earlier one; but many may want to sign in.
    fn ask_passkey(&mut self, asks: Asks) -> Says {
        if matches!(asks, Asks::Second(_)) {
            let is_before = |before: &&mut Challenge| before.asks == asks;
            for before in self.challenges.iter_mut().filter(is_before) {
                before.is_gone = true;
            }
        }
        self.challenges.push(Challenge {
            options: String::new(),
            asks,
            expires_at: self.now.0.plus(CHALLENGE_TTL),
            is_gone: false,
        });
        Says::Options(self.challenges.len() - 1)
    }

    /// The challenge is spent by any answer.
    pub(super) fn show_passkey(
        &mut self,
        shows: Shows,
        user: Option<usize>,
        shown: &Assertion,
    ) -> Result<Right, &'static str> {
        let is_good = self.answers(Asks::Second(shows), shown) && self.is_key_of(user, shown);
        let is_asked = |challenge: &&mut Challenge| challenge.asks == Asks::Second(shows);
        for challenge in self.challenges.iter_mut().filter(is_asked) {
            challenge.is_gone = true;
        }
        let right = Right {
            methods: &["pop", "user"],
            is_two: shown.is_verified,
        };
        is_good.then_some(right).ok_or("SECOND_FACTOR_WRONG")
    }

    /// It has to verify the person, is two factors then, and its challenge is spent
    /// by the right answer alone.
    pub(super) fn sign_in_by_passkey(
        &mut self,
        shown: &Assertion,
        (other_group, other_client): (bool, bool),
        device: step::Device,
    ) -> Option<Asked> {
        let (mut group, mut client) = (0, 0);
        if let Asks::SignIn {
            group: made_in,
            client: made_for,
        } = self.challenges[shown.challenge].asks
        {
            (group, client) = (made_in, made_for);
        }
        group ^= u8::from(other_group);
        client ^= u8::from(other_client);
        let (device, claim) = self.claim(device);
        let call = Call::IssueTokens {
            group,
            grant: Grant::Passkey(self.signed(shown)),
            client,
            device,
        };
        let user = self.factors[shown.factor].user;
        let is_good = shown.is_verified
            && self.answers(Asks::SignIn { group, client }, shown)
            && self.is_key_of(Some(user), shown)
            && self.users[user].group == group;
        if !is_good {
            return Some(Asked::refused(call, "SIGN_IN_REFUSED"));
        }
        self.challenges[shown.challenge].is_gone = true;
        if self.users[user].is_suspended {
            return Some(Asked::refused(call, "USER_SUSPENDED"));
        }
        let says = self.let_in(Entry {
            user,
            client,
            methods: vec!["pop", "user", "mfa"],
            claim,
            remember: false,
        });
        Some(Asked { call, says })
    }

    fn answers(&self, asks: Asks, shown: &Assertion) -> bool {
        let challenge = &self.challenges[shown.challenge];
        challenge.asks == asks && !challenge.is_gone && self.now.0 < challenge.expires_at
    }

    fn is_key_of(&self, user: Option<usize>, shown: &Assertion) -> bool {
        let factor = &self.factors[shown.factor];
        !factor.is_removed && Some(factor.user) == user
    }
}

impl Factor {
    /// The number of a passkey.
    fn key(&self) -> Option<usize> {
        match self.kind {
            FactorKind::Passkey(key) => Some(key),
            FactorKind::App { .. } | FactorKind::Address(_) => None,
        }
    }
}
