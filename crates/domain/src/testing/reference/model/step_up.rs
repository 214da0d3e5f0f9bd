//! Authenticating a person again in a session that goes on.

use super::super::call::{Call, StepUp};
use super::super::step::{self, Pick, Shown};
use super::factors::{Right, Showing};
use super::kept::Shows;
use super::passwords::another;
use super::state::{ACCESS_TTL, Answering, GRACE, Model, place};
use super::{Asked, Says};

impl Model {
    /// A password is one factor, and never renews two. Whatever a person has is the
    /// second one beside the password.
    pub(super) fn step_up(
        &mut self,
        token: Pick,
        other_client: bool,
        shown: Shown,
        device: step::Device,
    ) -> Option<Asked> {
        let token = place(&self.access, token)?;
        let user = self.sessions[self.access[token].session].user;
        let known = self.users[user].password;
        let (device, claim) = self.claim(device);
        let presented = match shown {
            Shown::Password { is_right: true } => StepUp::Password(known.unwrap_or(0)),
            Shown::Password { is_right: false } => StepUp::Password(another(known.unwrap_or(0))),
            Shown::Factor(guess) => StepUp::Factor(self.presented(None, guess)?),
        };
        let call = Call::StepUpSession {
            token: self.access[token].text.clone(),
            shown: presented.clone(),
            client: self.client_of(token, other_client),
            device,
        };
        let own = match self.person_of_caller(token, other_client) {
            Ok(own) => own,
            Err(reason) => return Some(Asked::refused(call, reason)),
        };
        let had_two = self.sessions[own].methods.contains(&"mfa");
        let methods = match (shown, presented) {
            (Shown::Factor(guess), StepUp::Factor(presented)) => {
                let showing = Showing {
                    shows: Shows::StepUp(own),
                    answering: Answering::User(user),
                    proved: None,
                    is_known_device: self.known_device(claim, self.proven(user)).is_some(),
                };
                let right = self.show(&showing, guess, &presented);
                right.map(|right| self.with_factor(own, &right))
            }
            _ if had_two => Err("SECOND_FACTOR_REQUIRED"),
            (Shown::Password { is_right: true }, _) if known.is_some() => {
                Ok(with(&self.sessions[own].methods, &["pwd"]))
            }
            _ => Err("PASSWORD_WRONG"),
        };
        let says = match methods {
            Ok(methods) => self.authenticated_again(own, methods),
            Err(reason) => Says::Refused(reason),
        };
        Some(Asked { call, says })
    }

    fn with_factor(&self, own: usize, right: &Right) -> Vec<&'static str> {
        let before = &self.sessions[own].methods;
        let is_two = right.is_two || before.contains(&"pwd") || before.contains(&"mfa");
        let before: Vec<_> = before
            .iter()
            .copied()
            .filter(|shown| *shown != "mfa")
            .collect();
        let mut methods = with(&before, right.methods);
        methods.extend(is_two.then_some("mfa"));
        methods
    }

    fn authenticated_again(&mut self, own: usize, methods: Vec<&'static str>) -> Says {
        let now = self.now.0;
        let session = &mut self.sessions[own];
        session.methods = methods;
        session.authenticated_at = now;
        let last = now.plus(ACCESS_TTL).plus(GRACE).min(session.expires_at);
        session.access_expires_at = session.access_expires_at.max(last);
        let access = self.new_access(own);
        Says::SteppedUp { access }
    }

    /// Tokens of a session are given to its own caller alone.
    pub(super) fn person_of_caller(
        &self,
        token: usize,
        other_client: bool,
    ) -> Result<usize, &'static str> {
        match (self.person(token)?, other_client) {
            (own, false) => Ok(own),
            (_, true) => Err("SESSION_OF_ANOTHER_CALLER"),
        }
    }

    pub(super) fn client_of(&self, token: usize, other_client: bool) -> u8 {
        self.sessions[self.access[token].session].client ^ u8::from(other_client)
    }
}

/// What was shown before, and this, once.
pub(super) fn with(before: &[&'static str], shown: &[&'static str]) -> Vec<&'static str> {
    let mut all = before.to_vec();
    all.extend(shown.iter().filter(|method| !before.contains(method)));
    all
}
