//! Steps that belong to no story.

use std::time::Duration;

use super::super::step::{Shown, Step};
use super::Generator;
use crate::model::Purpose;

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;
/// What lies on either side of what lives long and short.
const SPANS: [u64; 11] = [
    1,
    15,
    31,
    6 * MINUTE,
    11 * MINUTE,
    16 * MINUTE,
    DAY + 1,
    2 * DAY,
    3 * DAY + 1,
    31 * DAY,
    181 * DAY,
];
const PURPOSES: [Purpose; 3] = [Purpose::SignUp, Purpose::SignIn, Purpose::PasswordReset];

impl Generator {
    /// Any step, about anything.
    pub(super) fn stray(&mut self) {
        let (group, address) = (self.group(), self.any_address());
        let (token, which) = (self.pick(), self.pick());
        let purpose = PURPOSES[usize::from(self.small(3))];
        let new = self.small(3);
        let step = match self.below(39) {
            0..=2 if self.shape.has_time => {
                let span = SPANS[usize::from(self.small(11))];
                Step::Pass(Duration::from_secs(span))
            }
            0..=3 => Step::Validate {
                token,
                max_age: self.once_in(2).then(|| 60 + 600 * self.below(2)),
                is_aal2: self.once_in(2),
            },
            4 => Step::SendCode {
                group,
                address,
                purpose,
            },
            5 => Step::CheckCode {
                which,
                is_right: self.once_in(2),
                by_address: self.once_in(2),
            },
            6 => Step::CheckLink { which },
            7 => Step::Cancel { which },
            8 => Step::SignUpProven {
                proof: which,
                other_group: self.once_in(2),
                other_address: self.once_in(2),
                username: self.username(),
                password: Some(new),
            },
            9 => Step::SignIn {
                group,
                address,
                by_username: self.once_in(3),
                password: Some(new),
                client: self.client(),
                device: self.device(),
            },
            10 => Step::SignInProven {
                proof: which,
                other_group: self.once_in(4),
                client: self.client(),
                device: self.device(),
            },
            11 => Step::RevokeAccess { token },
            12 => Step::RevokeRefresh { token },
            13 | 14 => Step::Refresh {
                token,
                other_client: self.is_other_client(),
            },
            15 => Step::ListSessions { token },
            16 => Step::EndSession {
                token,
                session: which,
            },
            17 => Step::EndAllSessions {
                token,
                keep: self.once_in(2),
            },
            18 | 19 => Step::ChangePassword {
                token,
                is_right: !self.once_in(4),
                new,
            },
            20 => Step::ResetPassword { proof: which, new },
            21 => Step::ConfirmEnrollment {
                token,
                which,
                step: (!self.once_in(3)).then(|| self.offset()),
            },
            22 => Step::RemoveFactor {
                token,
                factor: which,
            },
            23 => match self.below(2) {
                0 => Step::NewRecoveryCodes { token },
                _ => Step::ListFactors { token },
            },
            24 => Step::ConfirmSignUp {
                which,
                is_right: self.once_in(2),
            },
            25 => Step::SendMfaCode {
                which,
                other_group: self.once_in(4),
                other_client: self.is_other_client(),
                factor: token,
                is_offered: self.is_offered(),
            },
            26 => Step::SendStepUpCode {
                token,
                other_client: self.is_other_client(),
                factor: self.once_in(2).then_some(which),
            },
            27 => Step::StepUp {
                token,
                other_client: self.is_other_client(),
                shown: self.shown(),
                device: self.device(),
            },
            28 => Step::SendChangeCode {
                token,
                address,
                is_link: self.once_in(2),
            },
            29 => Step::AddIdentifier {
                token,
                proof: which,
            },
            30 => Step::ChangeIdentifier {
                token,
                replaced: self.at(),
                proof: which,
            },
            31 => Step::RemoveIdentifier {
                token,
                address: self.at(),
            },
            32 => Step::Undo {
                which,
                other_group: self.once_in(4),
            },
            33 => Step::ListIdentifiers { token },
            34 => Step::SignInByPasskey {
                key: token,
                challenge: which,
                is_verified: self.once_in(2),
                other_group: self.once_in(6),
                other_client: self.is_other_client(),
                device: self.device(),
            },
            35 => match self.below(2) {
                0 => Step::BeginMfaAssertion {
                    which,
                    other_group: self.once_in(4),
                    other_client: self.is_other_client(),
                },
                _ => Step::BeginStepUpAssertion {
                    token,
                    other_client: self.is_other_client(),
                },
            },
            36 => Step::Suspend { user: which },
            37 => Step::Reinstate { user: which },
            _ => Step::AnswerMfa {
                which,
                other_group: self.once_in(4),
                other_client: self.is_other_client(),
                guess: self.guess(),
                remember: self.once_in(2),
            },
        };
        self.steps.push(step);
    }
    /// Mostly what is right.
    pub(super) fn shown(&mut self) -> Shown {
        match self.below(3) {
            0 => Shown::Password {
                is_right: !self.once_in(4),
            },
            _ => Shown::Factor(self.guess()),
        }
    }
}
