//! The model: who there is, what each has shown, and what must come of a call.
//!
//! Each kind of call is a method that tells the call, what the answer must be, and
//! notes what follows from it. What the service makes up, like tokens and ids, is
//! learnt from the answer.

mod enrollments;
mod learning;
mod mfa;
mod passwords;
mod sessions;
mod sign_in;
mod state;
mod verifications;

use super::call::Call;
use super::step::Step;
pub(super) use state::Model;

/// A call, and what it must be answered with.
pub(super) struct Asked {
    pub(super) call: Call,
    pub(super) says: Says,
}

/// What the answer must be. Numbers are places in the model's lists, of things
/// that the answer names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Says {
    Refused(&'static str),
    Done,
    User(usize),
    Pending {
        verification: usize,
        is_sent: bool,
    },
    Sent {
        verification: usize,
        is_link: bool,
        is_sent: bool,
    },
    Proof(usize),
    Tokens {
        access: usize,
        refresh: usize,
        is_known: bool,
        device: Option<usize>,
    },
    MfaSession(usize),
    Verdict(&'static str),
    Sessions(Vec<usize>),
    Ended(u32),
    Enrollment(usize),
    Factor {
        factor: usize,
        has_codes: bool,
    },
    Factors {
        factors: Vec<usize>,
        recovery_left: u32,
    },
    RecoveryCodes {
        user: usize,
    },
}

impl Asked {
    fn refused(call: Call, reason: &'static str) -> Self {
        let says = Says::Refused(reason);
        Self { call, says }
    }
}

impl Says {
    /// A word for a tally.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Refused(reason) => reason,
            Self::Verdict(word) => word,
            Self::MfaSession(_) => "MFA_SESSION",
            Self::Pending { .. } => "PENDING",
            _ => "OK",
        }
    }
}

impl Model {
    /// What a step asks. `None`: it is about what there is not yet, or no call.
    pub(super) fn ask(&mut self, step: Step) -> Option<Asked> {
        match step {
            Step::Pass(_) => None,
            Step::SignUp {
                group,
                address,
                username,
                password,
            } => Some(self.sign_up(group, address, username, password)),
            Step::ConfirmSignUp { which, is_right } => self.confirm_sign_up(which, is_right),
            Step::SendCode {
                group,
                address,
                purpose,
            } => Some(self.send(group, address, purpose, false)),
            Step::SendLink {
                group,
                address,
                purpose,
            } => Some(self.send(group, address, purpose, true)),
            Step::CheckCode {
                which,
                is_right,
                by_address,
            } => self.check_code(which, is_right, by_address),
            Step::CheckLink { which } => self.check_link(which),
            Step::Cancel { which } => self.cancel(which),
            Step::SignUpProven {
                proof,
                other_group,
                other_address,
                username,
                password,
            } => self.sign_up_proven(proof, (other_group, other_address), username, password),
            Step::SignIn {
                group,
                address,
                by_username,
                password,
                client,
                device,
            } => Some(self.sign_in(group, address, by_username, password, client, device)),
            Step::SignInProven {
                proof,
                other_group,
                client,
                device,
            } => self.sign_in_proven(proof, other_group, client, device),
            Step::Refresh {
                token,
                other_client,
            } => self.refresh(token, other_client),
            Step::Validate { token } => self.validate(token),
            Step::RevokeAccess { token } => self.revoke_access(token),
            Step::RevokeRefresh { token } => self.revoke_refresh(token),
            Step::ListSessions { token } => self.list_sessions(token),
            Step::EndSession { token, session } => self.end_session(token, session),
            Step::EndAllSessions { token, keep } => self.end_all_sessions(token, keep),
            Step::ChangePassword {
                token,
                is_right,
                new,
            } => self.change_password(token, is_right, new),
            Step::ResetPassword { proof, new } => self.reset_password(proof, new),
            Step::BeginEnrollment { token } => self.begin_enrollment(token),
            Step::ConfirmEnrollment { token, which, step } => {
                self.confirm_enrollment(token, which, step)
            }
            Step::RemoveFactor { token, factor } => self.remove_factor(token, factor),
            Step::NewRecoveryCodes { token } => self.new_recovery_codes(token),
            Step::ListFactors { token } => self.list_factors(token),
            Step::CreateMfa {
                group,
                address,
                by_id,
                has_code,
                client,
            } => self.create_mfa(group, address, by_id, has_code, client),
            Step::AnswerMfa {
                which,
                other_group,
                other_client,
                guess,
                remember,
            } => self.answer_mfa(which, (other_group, other_client), guess, remember),
        }
    }
}
