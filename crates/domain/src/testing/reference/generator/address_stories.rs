//! Stories of people who change addresses, of thieves who do, and of strangers who
//! want what was given up.

use super::super::call::NewFactor;
use super::super::step::{At, Guess, Pick, Step};
use super::{Generator, LATEST};
use crate::model::Purpose;

const DAY: u64 = 24 * 60 * 60;

impl Generator {
    /// Signs in, and shows what is asked for then.
    pub(super) fn sign_in_fully(&mut self, address: u8) {
        self.sign_in(0, address);
        if self.once_in(3) {
            self.pass(31);
            self.add_answer(LATEST, Guess::Totp(LATEST, 1), false);
        }
    }

    pub(super) fn change_address(&mut self, address: u8) {
        self.sign_in_fully(address);
        if self.once_in(4) {
            self.enroll_this(NewFactor::Address(At::Own(LATEST)));
        }
        self.change(LATEST);
        match self.below(4) {
            0 => self.add(Step::ListIdentifiers { token: LATEST }),
            1 => self.sign_in(0, address),
            2 => self.undo(),
            _ => {}
        }
    }

    /// Somebody who knows the password changes what there is, and the owner undoes it.
    pub(super) fn take_over(&mut self, address: u8) {
        if self.once_in(3) {
            self.sign_in_fully(address);
            self.enroll_this(NewFactor::App);
            let span = [31, DAY, 2 * DAY, 3 * DAY][usize::from(self.small(4))];
            self.pass(span);
            self.sign_in(0, address);
            self.add_answer(LATEST, Guess::Totp(LATEST, 1), false);
        } else {
            self.sign_in_fully(address);
        }
        let new = self.small(3);
        for _ in 0..1 + self.below(3) {
            match self.below(5) {
                0 | 1 => self.change(LATEST),
                2 => self.enroll(address),
                3 => self.add(Step::ChangePassword {
                    token: LATEST,
                    is_right: true,
                    new,
                }),
                _ => self.sign_in_proven(0, address),
            }
        }
        if self.once_in(3) {
            self.pass(DAY);
        }
        self.undo();
        match self.below(4) {
            0 => self.sign_in(0, address),
            1 => self.reset(0, address),
            2 => self.sign_in_proven(0, address),
            _ => self.add(Step::ListIdentifiers { token: LATEST }),
        }
    }

    /// A change that can be undone still, after one that cannot any more.
    pub(super) fn undo_late(&mut self, address: u8) {
        let other = self.any_address();
        for other in [other, other ^ 1] {
            self.sign_in_fully(address);
            self.prove_new(LATEST, other);
            self.add_proven(LATEST);
            self.pass(2 * DAY);
        }
        self.undo();
        let purpose = match self.once_in(2) {
            true => Purpose::SignIn,
            false => Purpose::PasswordReset,
        };
        for (which, address) in [(Pick(1), address), (LATEST, other)] {
            self.prove(0, address, purpose);
            if self.once_in(2) {
                self.add(Step::Undo {
                    which,
                    other_group: false,
                });
            }
        }
    }

    /// An address is given up, and somebody else wants it: at once, or later.
    pub(super) fn give_up_and_take(&mut self, address: u8) {
        self.sign_in_fully(address);
        let other = self.any_address();
        self.prove_new(LATEST, other);
        if self.once_in(2) {
            self.add(Step::ChangeIdentifier {
                token: LATEST,
                replaced: At::Any(address),
                proof: LATEST,
            });
        } else {
            self.add_proven(LATEST);
            self.add(Step::RemoveIdentifier {
                token: LATEST,
                address: At::Any(address),
            });
        }
        if self.once_in(2) {
            let span = if self.once_in(2) { 2 * DAY } else { 3 * DAY };
            self.pass(span);
        }
        if self.once_in(2) {
            self.sign_up(0, address);
        } else {
            self.sign_in_fully(1 - address);
            self.prove_new(LATEST, address);
            self.add_proven(LATEST);
        }
        if self.once_in(3) {
            self.undo();
        }
    }

    /// By the old address and by a new one.
    pub(super) fn sign_in_at_both(&mut self, address: u8) {
        let other = self.any_address();
        self.sign_in_fully(address);
        self.prove_new(LATEST, other);
        self.add_proven(LATEST);
        for address in [address, other] {
            match self.below(3) {
                0 => self.sign_in(0, address),
                1 => self.sign_in_proven(0, address),
                _ => self.ask_and_answer(0, address),
            }
        }
    }

    /// Whatever was proved before is proved no more.
    fn change(&mut self, token: Pick) {
        let address = self.any_address();
        if self.once_in(4) {
            self.prove(0, address, Purpose::SignIn);
        }
        match self.below(4) {
            // The last one stays.
            kind @ 0..=1 => {
                self.prove_new(token, address);
                self.add_proven(token);
                if kind == 0 {
                    let address = self.at();
                    self.add(Step::RemoveIdentifier { token, address });
                }
            }
            _ => {
                self.prove_new(token, address);
                let replaced = self.at();
                self.add(Step::ChangeIdentifier {
                    token,
                    replaced,
                    proof: LATEST,
                });
            }
        }
    }

    fn add_proven(&mut self, token: Pick) {
        self.add(Step::AddIdentifier {
            token,
            proof: LATEST,
        });
    }

    fn prove_new(&mut self, token: Pick, address: u8) {
        let is_link = self.once_in(4);
        self.add(Step::SendChangeCode {
            token,
            address,
            is_link,
        });
        if is_link {
            self.add(Step::CheckLink { which: LATEST });
            return;
        }
        let by_address = self.once_in(4);
        self.add(Step::CheckCode {
            which: LATEST,
            is_right: true,
            by_address,
        });
    }

    fn undo(&mut self) {
        let (which, other_group) = (self.pick(), self.once_in(12));
        self.add(Step::Undo { which, other_group });
    }
}
