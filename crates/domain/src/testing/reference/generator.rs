//! Random sequences, the same for the same seed: stories that get somewhere,
//! with steps left out, changed and strewn in.

mod address_stories;
mod factor_stories;
mod stories;
mod stray;

use super::call::{FIRST_PHONE, NewFactor};
use super::step::{At, Device, Guess, Pick, Step};

/// What sequences are made of.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// How many steps a sequence has at least.
    pub steps: usize,
    /// Whether time goes on between steps.
    pub has_time: bool,
    /// Whether there are two callers.
    pub has_callers: bool,
    /// Whether codes are sent of which no answer tells whether they are.
    pub has_untold_codes: bool,
}

/// The sequence of a seed.
#[must_use]
pub fn sequence(seed: u64, shape: Shape) -> Vec<Step> {
    let mut generator = Generator {
        state: seed,
        shape,
        steps: Vec::with_capacity(2 * shape.steps),
    };
    for address in 0..2 {
        generator.sign_up(0, address);
        generator.sign_in(0, address);
    }
    while generator.steps.len() < shape.steps {
        generator.story();
    }
    generator.steps
}

struct Generator {
    state: u64,
    shape: Shape,
    steps: Vec<Step>,
}

const LATEST: Pick = Pick(0);

impl Generator {
    /// A number below `limit` (SplitMix64).
    fn below(&mut self, limit: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    fn small(&mut self, limit: u8) -> u8 {
        u8::try_from(self.below(limit.into())).unwrap_or(0)
    }

    /// True once in `times`.
    fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// The latest mostly, or an earlier one.
    fn pick(&mut self) -> Pick {
        match self.below(3) {
            0 => Pick(self.small(8)),
            _ => LATEST,
        }
    }

    /// Adds a step of a story, which now and then is left out, or comes after
    /// something else.
    fn add(&mut self, step: Step) {
        if self.once_in(8) {
            self.stray();
        }
        if !self.once_in(16) {
            self.steps.push(step);
        }
        if self.once_in(12) {
            self.steps.push(step);
        }
    }

    fn group(&mut self) -> u8 {
        u8::from(self.once_in(6))
    }

    fn client(&mut self) -> u8 {
        u8::from(self.shape.has_callers && self.once_in(6))
    }

    /// Whether a code is asked for where it was offered, so that the answer tells.
    fn is_offered(&mut self) -> bool {
        let is_offered = !self.once_in(3);
        is_offered || !self.shape.has_untold_codes
    }

    fn is_other_client(&mut self) -> bool {
        self.shape.has_callers && self.once_in(12)
    }

    fn device(&mut self) -> Device {
        match self.below(6) {
            0 | 1 => Device::Untold,
            2 => Device::Unknown,
            _ => Device::Token(self.pick()),
        }
    }

    fn username(&mut self) -> Option<u8> {
        self.once_in(3).then(|| self.small(2))
    }

    /// Of people who are there mostly.
    fn story(&mut self) {
        let (group, address) = (self.group(), self.small(2) + u8::from(self.once_in(4)));
        let address = self.or_phone(address);
        match self.below(45) {
            0 => self.sign_up(group, address),
            1 => self.sign_up_by_code(group, address),
            2 => self.sign_up_late(group, address),
            3..=5 => self.sign_in(group, address),
            6..=8 => self.enroll(address % 2),
            9..=11 => self.answer(address % 2),
            12 => self.guess_at_factors(address % 2),
            13 => self.sign_in_proven(group, address),
            14 => self.reset(group, address),
            15 => self.ask_and_answer(group, address),
            16 => self.change_factors(),
            17 | 38 => self.refresh_again_and_again(),
            18 => self.change_late(),
            39 => self.sign_up_by_code(group, address),
            40 => self.sign_in(group, address),
            41 => self.undo_late(address % 2),
            42 => self.suspend_and_reinstate(address % 2),
            19..=21 => self.change_address(address % 2),
            22 | 23 => self.take_over(address % 2),
            24 => self.give_up_and_take(address % 2),
            25 => self.sign_in_at_both(address % 2),
            26..=28 => self.step_up(address % 2),
            29 => self.step_up_and_change(address % 2),
            30..=32 => self.answer_with_code(address % 2),
            33 | 34 => self.use_passkey(address % 2),
            35..=37 => self.remember_and_change(address % 2),
            _ => self.stray(),
        }
    }

    /// A phone number now and then.
    fn or_phone(&mut self, address: u8) -> u8 {
        match self.once_in(8) {
            true => FIRST_PHONE + address % 2,
            false => address,
        }
    }

    /// Mostly one of the person's.
    fn at(&mut self) -> At {
        match self.once_in(4) {
            true => At::Any(self.any_address()),
            false => At::Own(self.pick()),
        }
    }

    fn any_address(&mut self) -> u8 {
        let address = self.small(3);
        self.or_phone(address)
    }

    fn new_factor(&mut self) -> NewFactor<At> {
        match self.below(6) {
            0..=2 => NewFactor::App,
            3 | 4 => NewFactor::Address(self.at()),
            _ => NewFactor::Passkey,
        }
    }

    /// Mostly what is good.
    fn offset(&mut self) -> i64 {
        [-1, 0, 0, 1, 1, 2, -2][usize::from(self.small(7))]
    }

    fn guess(&mut self) -> Guess {
        match self.below(11) {
            0..=2 => Guess::Totp(self.pick(), self.offset()),
            3 | 4 => Guess::Recovery(Pick(self.small(25))),
            5 | 6 => Guess::Kept,
            7 | 8 => Guess::Sent(self.pick()),
            9 => self.passkey(),
            _ => Guess::Wrong,
        }
    }

    fn passkey(&mut self) -> Guess {
        Guess::Passkey {
            key: self.pick(),
            challenge: self.pick(),
            is_verified: !self.once_in(3),
        }
    }
}
