//! Stories that get somewhere.

use std::time::Duration;

use super::super::step::{Guess, Pick, Step};
use super::{Generator, LATEST};
use crate::model::Purpose;

impl Generator {
    pub(super) fn sign_up(&mut self, group: u8, address: u8) {
        let purpose = Purpose::SignUp;
        self.prove(group, address, purpose);
        let (username, password) = (self.username(), self.small(3));
        let has_password = !self.once_in(6);
        self.add(Step::SignUpProven {
            proof: LATEST,
            other_group: false,
            other_address: false,
            username,
            password: has_password.then_some(password),
        });
    }

    pub(super) fn sign_up_by_code(&mut self, group: u8, address: u8) {
        let (username, password) = (self.username(), self.small(3));
        self.add(Step::SignUp {
            group,
            address,
            username,
            password,
        });
        let is_right = !self.once_in(6);
        self.add(Step::ConfirmSignUp {
            which: LATEST,
            is_right,
        });
    }

    /// Somebody else has the address or the name by the time that the code comes.
    pub(super) fn sign_up_late(&mut self, group: u8, address: u8) {
        let (username, password) = (Some(self.small(2)), self.small(3));
        self.add(Step::SignUp {
            group,
            address,
            username,
            password,
        });
        let address = if self.once_in(2) { address } else { 2 };
        self.prove(group, address, Purpose::SignUp);
        self.add(Step::SignUpProven {
            proof: LATEST,
            other_group: false,
            other_address: false,
            username,
            password: Some(password),
        });
        self.add(Step::ConfirmSignUp {
            which: Pick(1),
            is_right: true,
        });
    }

    pub(super) fn prove(&mut self, group: u8, address: u8, purpose: Purpose) {
        if self.once_in(4) {
            self.add(Step::SendLink {
                group,
                address,
                purpose,
            });
            self.add(Step::CheckLink { which: LATEST });
            return;
        }
        self.add(Step::SendCode {
            group,
            address,
            purpose,
        });
        let by_address = self.once_in(3);
        self.add(Step::CheckCode {
            which: LATEST,
            is_right: true,
            by_address,
        });
    }

    pub(super) fn sign_in(&mut self, group: u8, address: u8) {
        let (client, device) = (self.client(), self.device());
        let by_username = self.once_in(6);
        self.add(Step::SignIn {
            group,
            address,
            by_username,
            password: None,
            client,
            device,
        });
    }

    pub(super) fn sign_in_proven(&mut self, group: u8, address: u8) {
        self.prove(group, address, Purpose::SignIn);
        let (client, device) = (self.client(), self.device());
        self.add(Step::SignInProven {
            proof: LATEST,
            other_group: false,
            client,
            device,
        });
    }

    pub(super) fn enroll(&mut self, address: u8) {
        if !self.once_in(3) {
            self.sign_in(0, address);
        }
        let (token, factor) = (self.pick(), self.new_factor());
        self.add(Step::BeginEnrollment { token, factor });
        let step = self.offset();
        self.add(Step::ConfirmEnrollment {
            token,
            which: LATEST,
            step: Some(step),
        });
    }

    /// More often than is allowed, and then what is right.
    pub(super) fn guess_at_factors(&mut self, address: u8) {
        self.sign_in(0, address);
        for _ in 0..4 + self.below(3) {
            self.add_answer(LATEST, Guess::Wrong, false);
        }
        let guess = self.guess();
        self.add_answer(LATEST, guess, true);
    }

    /// By whichever sessions there are.
    pub(super) fn change_factors(&mut self) {
        for _ in 0..2 {
            let (token, factor) = (self.pick(), self.pick());
            let step = match self.below(4) {
                0 | 1 => Step::RemoveFactor { token, factor },
                2 => Step::NewRecoveryCodes { token },
                _ => Step::ListFactors { token },
            };
            self.add(step);
        }
    }

    pub(super) fn answer(&mut self, address: u8) {
        self.sign_in(0, address);
        if self.shape.has_time && self.once_in(3) {
            self.steps.push(Step::Pass(Duration::from_secs(31)));
        }
        for _ in 0..=self.below(2) {
            let guess = match self.guess() {
                Guess::Kept => Guess::Totp(LATEST, 1),
                guess => guess,
            };
            let remember = self.once_in(2);
            self.add_answer(LATEST, guess, remember);
        }
    }

    pub(super) fn add_answer(&mut self, which: Pick, guess: Guess, remember: bool) {
        let (other_group, other_client) = (self.once_in(16), self.is_other_client());
        self.add(Step::AnswerMfa {
            which,
            other_group,
            other_client,
            guess,
            remember,
        });
    }

    pub(super) fn reset(&mut self, group: u8, address: u8) {
        self.prove(group, address, Purpose::PasswordReset);
        let new = self.small(3);
        self.add(Step::ResetPassword { proof: LATEST, new });
    }

    pub(super) fn ask_and_answer(&mut self, group: u8, address: u8) {
        let (by_id, has_code) = (self.once_in(4), !self.once_in(3));
        let client = self.client();
        self.add(Step::CreateMfa {
            group,
            address,
            by_id,
            has_code,
            client,
        });
        let guess = if has_code { Guess::Kept } else { self.guess() };
        self.add_answer(LATEST, guess, false);
    }

    /// Within the grace time, and after it.
    pub(super) fn refresh_again_and_again(&mut self) {
        for _ in 0..1 + self.below(4) {
            let token = self.pick();
            let other_client = self.is_other_client();
            self.add(Step::Refresh {
                token,
                other_client,
            });
            if self.once_in(4) {
                let span = if self.once_in(2) { 15 } else { 31 };
                self.pass(span);
            }
        }
    }

    /// A session that is kept for longer than it may change factors.
    pub(super) fn change_late(&mut self) {
        for _ in 0..2 {
            self.pass(6 * 60);
            self.add(Step::Refresh {
                token: LATEST,
                other_client: false,
            });
        }
        let (token, which) = (LATEST, self.pick());
        let step = Some(self.offset());
        let late = match self.below(4) {
            0 => Step::BeginEnrollment {
                token,
                factor: self.new_factor(),
            },
            1 => Step::RemoveFactor {
                token,
                factor: which,
            },
            2 => Step::NewRecoveryCodes { token },
            _ => Step::ConfirmEnrollment { token, which, step },
        };
        self.add(late);
    }

    pub(super) fn pass(&mut self, seconds: u64) {
        if self.shape.has_time {
            self.steps.push(Step::Pass(Duration::from_secs(seconds)));
        }
    }

    /// Somebody is suspended for a while, and tries to get in.
    pub(super) fn suspend_and_reinstate(&mut self, address: u8) {
        let user = self.pick();
        self.add(Step::Suspend { user });
        for _ in 0..self.below(4) {
            match self.below(3) {
                0 => self.sign_in(0, address),
                1 => self.sign_in_proven(0, address),
                _ => self.stray(),
            }
        }
        self.steps.push(Step::Reinstate { user });
    }
}
