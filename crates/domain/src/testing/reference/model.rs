//! The model: who there is, what each has shown, and what must come of a call.
//!
//! Each kind of call is a method that tells the call, what the answer must be, and
//! notes what follows from it. What the service makes up, like tokens and ids, is
//! learnt from the answer.

mod addresses;
mod blocking;
mod enrollments;
mod factors;
mod kept;
mod learning;
mod mfa;
mod passkeys;
mod passwords;
mod sent_codes;
mod sessions;
mod sign_in;
mod state;
mod step_up;
mod verifications;

use super::call::{Call, NewFactor};
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
    Enrollment {
        enrollment: usize,
        factor: NewFactor<u8>,
    },
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
    CodeSent(Option<usize>),
    Options(usize),
    SteppedUp {
        access: usize,
    },
    Changed {
        undo: usize,
        told: Vec<u8>,
    },
    Identifiers {
        addresses: Vec<u8>,
        undoable: usize,
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
            Step::Validate {
                token,
                max_age,
                is_aal2,
            } => self.validate(token, max_age, is_aal2),
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
            Step::BeginEnrollment { token, factor } => self.begin_enrollment(token, factor),
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
            Step::SendMfaCode {
                which,
                other_group,
                other_client,
                factor,
                is_offered,
            } => self.send_mfa_code(which, (other_group, other_client), factor, is_offered),
            Step::BeginMfaAssertion {
                which,
                other_group,
                other_client,
            } => self.begin_mfa_assertion(which, (other_group, other_client)),
            Step::StepUp {
                token,
                other_client,
                shown,
                device,
            } => self.step_up(token, other_client, shown, device),
            Step::SendStepUpCode {
                token,
                other_client,
                factor,
            } => self.send_step_up_code(token, other_client, factor),
            Step::BeginStepUpAssertion {
                token,
                other_client,
            } => self.begin_step_up_assertion(token, other_client),
            Step::BeginPasskeySignIn { group, client } => {
                Some(self.begin_passkey_sign_in(group, client))
            }
            Step::SignInByPasskey {
                key,
                challenge,
                is_verified,
                other_group,
                other_client,
                device,
            } => {
                let shown = self.assertion(key, challenge, is_verified)?;
                self.sign_in_by_passkey(&shown, (other_group, other_client), device)
            }
            Step::SendChangeCode {
                token,
                address,
                is_link,
            } => self.send_change_code(token, address, is_link),
            Step::AddIdentifier { token, proof } => self.change_addresses(token, Some(proof), None),
            Step::ChangeIdentifier {
                token,
                replaced,
                proof,
            } => self.change_addresses(token, Some(proof), Some(replaced)),
            Step::RemoveIdentifier { token, address } => {
                self.change_addresses(token, None, Some(address))
            }
            Step::Undo { which, other_group } => self.undo(which, other_group),
            Step::ListIdentifiers { token } => self.list_identifiers(token),
            Step::Suspend { user } => self.suspend(user),
            Step::Reinstate { user } => self.reinstate(user),
        }
    }
}
