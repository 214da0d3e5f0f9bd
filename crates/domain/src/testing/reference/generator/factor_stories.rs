//! Stories of second factors: codes that are sent, passkeys, what is shown again in a
//! session, and devices where it is not asked for.

use super::super::call::NewFactor;
use super::super::step::{At, Device, Guess, Pick, Shown, Step};
use super::{Generator, LATEST};

impl Generator {
    pub(super) fn enroll_this(&mut self, factor: NewFactor<At>) {
        let token = LATEST;
        self.add(Step::BeginEnrollment { token, factor });
        self.add(Step::ConfirmEnrollment {
            token,
            which: LATEST,
            step: Some(0),
        });
    }

    /// A session that gets old, and is raised.
    pub(super) fn step_up(&mut self, address: u8) {
        if self.once_in(2) {
            self.enroll(address);
            self.pass(31);
        }
        if self.once_in(3) {
            self.sign_in(0, address);
        }
        if self.once_in(3) {
            for _ in 0..2 {
                self.pass(6 * 60);
                self.add(Step::Refresh {
                    token: LATEST,
                    other_client: false,
                });
            }
        }
        for _ in 0..1 + self.below(3) {
            self.show_in_session();
        }
        let (token, max_age) = (self.pick(), self.once_in(2).then_some(60));
        self.add(Step::Validate {
            token,
            max_age,
            is_aal2: true,
        });
    }

    /// What a session may do that was raised, or that another one beside it may not.
    pub(super) fn step_up_and_change(&mut self, address: u8) {
        self.sign_in(0, address);
        self.enroll(address);
        self.pass(31);
        self.show_in_session();
        let (token, factor) = (self.pick(), self.pick());
        let step = match self.below(4) {
            0 => Step::RemoveFactor { token, factor },
            1 => Step::NewRecoveryCodes { token },
            2 => Step::RemoveIdentifier {
                token,
                address: self.at(),
            },
            _ => Step::BeginEnrollment {
                token,
                factor: self.new_factor(),
            },
        };
        self.add(step);
        self.show_in_session();
    }

    fn show_in_session(&mut self) {
        let (token, other_client) = (self.pick(), self.is_other_client());
        let shown = match self.below(6) {
            0 | 1 => Shown::Password {
                is_right: !self.once_in(6),
            },
            2 => Shown::Factor(Guess::Totp(self.pick(), 1)),
            3 => {
                if self.once_in(2) {
                    self.enroll_this(NewFactor::Address(At::Own(LATEST)));
                }
                let factor = self.once_in(3).then(|| self.pick());
                let token = if self.once_in(4) { self.pick() } else { token };
                self.add(Step::SendStepUpCode {
                    token,
                    other_client: false,
                    factor,
                });
                Shown::Factor(Guess::Sent(LATEST))
            }
            4 => {
                self.add(Step::BeginStepUpAssertion {
                    token,
                    other_client: false,
                });
                Shown::Factor(self.passkey_now())
            }
            _ => Shown::Factor(self.guess()),
        };
        let device = self.device();
        let step = Step::StepUp {
            token,
            other_client,
            shown,
            device,
        };
        self.add(step);
        if self.once_in(6) {
            self.add(step);
        }
    }

    /// Signs in by a first factor, and a code to another address or to the same.
    pub(super) fn answer_with_code(&mut self, address: u8) {
        if self.once_in(2) {
            self.sign_in_fully(address);
            let at = self.at();
            self.enroll_this(NewFactor::Address(at));
        }
        match self.below(4) {
            0 => self.sign_in_proven(0, address),
            1 => self.ask_for_factors(address),
            _ => self.sign_in(0, address),
        }
        for _ in 0..=self.below(2) {
            let (factor, is_offered) = (self.pick(), self.is_offered());
            let (other_group, other_client) = (self.once_in(16), self.is_other_client());
            self.add(Step::SendMfaCode {
                which: LATEST,
                other_group,
                other_client,
                factor,
                is_offered,
            });
        }
        if self.once_in(6) {
            self.change_factors();
        }
        match self.below(8) {
            0 => self.guess_at_code(),
            1 | 2 => self.sign_in(0, address),
            _ => {}
        }
        let sent = self.pick();
        self.add_answer(LATEST, Guess::Sent(sent), false);
    }

    fn guess_at_code(&mut self) {
        for _ in 0..4 {
            self.add_answer(LATEST, Guess::Wrong, false);
        }
    }

    fn ask_for_factors(&mut self, address: u8) {
        self.add(Step::CreateMfa {
            group: 0,
            address,
            by_id: false,
            has_code: false,
            client: 0,
        });
    }

    pub(super) fn use_passkey(&mut self, address: u8) {
        if !self.once_in(3) {
            self.sign_in_fully(address);
            self.enroll_this(NewFactor::Passkey);
        }
        if self.once_in(8) {
            self.change_factors();
        }
        if self.once_in(2) {
            let (group, client) = (self.group(), self.client());
            self.add(Step::BeginPasskeySignIn { group, client });
            let step = Step::SignInByPasskey {
                key: LATEST,
                challenge: self.pick(),
                is_verified: !self.once_in(6),
                other_group: self.once_in(12),
                other_client: self.is_other_client(),
                device: self.device(),
            };
            self.add(step);
            return;
        }
        self.sign_in(0, address);
        self.add(Step::BeginMfaAssertion {
            which: LATEST,
            other_group: false,
            other_client: false,
        });
        let guess = self.passkey_now();
        self.add_answer(LATEST, guess, false);
        if self.once_in(3) {
            self.add_answer(LATEST, guess, false);
        }
    }

    fn passkey_now(&mut self) -> Guess {
        Guess::Passkey {
            key: if self.once_in(4) { Pick(1) } else { LATEST },
            challenge: if self.once_in(6) { Pick(1) } else { LATEST },
            is_verified: self.once_in(2),
        }
    }

    /// A device where a second factor is not asked for, until the factors are others.
    pub(super) fn remember_and_change(&mut self, address: u8) {
        self.sign_in(0, address);
        self.enroll_this(NewFactor::App);
        if self.once_in(2) {
            let factor = self.new_factor();
            self.enroll_this(factor);
        }
        self.pass(31);
        let device = match self.once_in(3) {
            true => self.device(),
            false => Device::Unknown,
        };
        self.sign_in_on(address, device);
        let app = if self.once_in(4) { Pick(1) } else { LATEST };
        self.add_answer(LATEST, Guess::Totp(app, 1), true);
        let token = LATEST;
        match self.below(6) {
            0 | 1 => {
                let factor = self.new_factor();
                self.enroll_this(factor);
            }
            2 | 3 => {
                let factor = self.pick();
                self.add(Step::RemoveFactor { token, factor });
            }
            4 => self.add(Step::NewRecoveryCodes { token }),
            _ => self.stray(),
        }
        self.sign_in_on(address, Device::Token(LATEST));
    }

    fn sign_in_on(&mut self, address: u8, device: Device) {
        self.add(Step::SignIn {
            group: 0,
            address,
            by_username: false,
            password: None,
            client: 0,
            device,
        });
    }
}
