//! The keys under which verifications and proofs are kept.

use crate::model::{Proof, Purpose, VerificationId, VerificationRecord};

/// The key of the code or the link of a verification.
pub(super) fn key_of(record: &VerificationRecord) -> String {
    if record.link.is_some() {
        return link_key(record.id);
    }
    match record.purpose {
        Purpose::SignUp
        | Purpose::SignIn
        | Purpose::PasswordReset
        | Purpose::ChangeIdentifier
        | Purpose::AddFactor
        | Purpose::SecondFactor
        | Purpose::StepUp => code_key(record.id),
        Purpose::ConfirmSignUp => sign_up_key(record.id),
    }
}

/// The key of a code that is exchanged for a proof.
pub(super) fn code_key(id: VerificationId) -> String {
    format!("verification:{id}")
}

/// The key of a code that completes a sign-up.
pub(super) fn sign_up_key(id: VerificationId) -> String {
    format!("sign-up:{id}")
}

/// The key of a link that is exchanged for a proof.
pub(super) fn link_key(id: VerificationId) -> String {
    format!("link:{id}")
}

pub(super) fn proof_key(proof: &Proof) -> String {
    format!("proof:{}", proof.digest())
}
