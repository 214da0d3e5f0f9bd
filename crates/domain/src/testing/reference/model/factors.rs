//! Showing a second factor: where a sign-in asks for one, and in a session.

use super::super::call::{FIRST_PHONE, FactorCode};
use super::super::step::{Guess, Pick};
use super::kept::Shows;
use super::state::{Answering, Charged, FactorKind, Model, WRONG, place};

/// What was shown, and was right.
pub(super) struct Right {
    pub(super) methods: &'static [&'static str],
    /// Whether it is two factors by itself.
    pub(super) is_two: bool,
}

/// What decides whether it is right.
pub(super) struct Showing {
    pub(super) shows: Shows,
    pub(super) answering: Answering,
    /// The address that was proved by the first factor.
    pub(super) proved: Option<u8>,
    pub(super) is_known_device: bool,
}

impl Model {
    /// What is typed or signed, if it is anything that there is.
    pub(super) fn presented(&self, kept: Option<&String>, guess: Guess) -> Option<FactorCode> {
        let text = match guess {
            Guess::Kept => kept?.clone(),
            Guess::Wrong => WRONG.into(),
            Guess::Recovery(pick) => self.recovery[place(&self.recovery, pick)?].text.clone(),
            Guess::Sent(pick) => self.sent[place(&self.sent, pick)?].code.clone(),
            Guess::Totp(pick, offset) => {
                let (_, secret) = self.app(pick)?;
                return Some(FactorCode::Totp {
                    secret: secret.clone(),
                    step: self.present_step() + offset,
                });
            }
            Guess::Passkey {
                key,
                challenge,
                is_verified,
            } => {
                let shown = self.assertion(key, challenge, is_verified)?;
                return Some(self.signed(&shown));
            }
        };
        Some(FactorCode::Text(text))
    }

    /// Each code works once. All wrong ones of a user are counted together; answers of
    /// passkeys are not.
    pub(super) fn show(
        &mut self,
        showing: &Showing,
        guess: Guess,
        presented: &FactorCode,
    ) -> Result<Right, &'static str> {
        let user = match showing.answering {
            Answering::User(user) => Some(user),
            Answering::NobodyAt(_) | Answering::NobodyCalled(_) => None,
        };
        if let Guess::Passkey {
            key,
            challenge,
            is_verified,
        } = guess
        {
            let shown = self.assertion(key, challenge, is_verified);
            return self.show_passkey(showing.shows, user, &shown.expect("it was signed"));
        }
        let charged = Charged::Factor(showing.answering.clone(), showing.is_known_device);
        if !self.charge(charged.clone()) {
            return Err("TOO_MANY_ATTEMPTS");
        }
        let method = self.is_sent_code(user, showing, presented);
        // With the session that it opens, or not at all.
        let is_used = match showing.shows {
            Shows::Mfa(which) => self.mfa[which]
                .user
                .is_none_or(|user| self.is_current(user)),
            Shows::StepUp(_) | Shows::Enrollment(_) => true,
        };
        let mut own = || self.is_own_code(user, guess, is_used);
        let method = method.or_else(|| own().then_some(&["otp"][..]));
        let methods = method.ok_or("SECOND_FACTOR_WRONG")?;
        self.give_back(&charged);
        Ok(Right {
            methods,
            is_two: false,
        })
    }

    /// Whether it is the code that waits for this, which is good as long as it would be
    /// sent there still.
    fn is_sent_code(
        &mut self,
        user: Option<usize>,
        showing: &Showing,
        presented: &FactorCode,
    ) -> Option<&'static [&'static str]> {
        let waiting = self.waiting(showing.shows)?;
        let to = self.sent[waiting].to;
        if !self.offered(user?, showing.proved).contains(&to) {
            return None;
        }
        let is_right = self.try_sent(waiting, presented);
        let method: &[_] = if to.address < FIRST_PHONE {
            &["otp"]
        } else {
            &["sms"]
        };
        is_right.then_some(method)
    }

    /// Whether it is a recovery code, or that of an app. It is good no more if it is used.
    fn is_own_code(&mut self, user: Option<usize>, guess: Guess, is_used: bool) -> bool {
        match guess {
            Guess::Recovery(pick) => {
                let place = place(&self.recovery, pick).expect("it was typed");
                let code = &mut self.recovery[place];
                let is_right = code.is_good && Some(code.user) == user;
                code.is_good &= !(is_right && is_used);
                is_right
            }
            Guess::Totp(pick, offset) => {
                let shown = self.present_step() + offset;
                let (app, _) = self.app(pick).expect("it was typed");
                let factor = &mut self.factors[app];
                let is_theirs = Some(factor.user) == user && !factor.is_removed;
                let FactorKind::App { last_step, .. } = &mut factor.kind else {
                    return false;
                };
                let is_right = is_theirs && offset.abs() <= 1 && shown > *last_step;
                if is_right && is_used {
                    *last_step = shown;
                }
                is_right
            }
            Guess::Kept | Guess::Wrong | Guess::Sent(_) | Guess::Passkey { .. } => false,
        }
    }

    /// An app, removed ones too.
    fn app(&self, pick: Pick) -> Option<(usize, &String)> {
        let apps = self.factors.iter().enumerate();
        let apps = apps.filter_map(|(place, factor)| match &factor.kind {
            FactorKind::App { secret, .. } => Some((place, secret)),
            FactorKind::Address(_) | FactorKind::Passkey(_) => None,
        });
        let apps: Vec<_> = apps.collect();
        Some(apps[place(&apps, pick)?])
    }
}
