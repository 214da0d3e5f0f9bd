//! Exchanging the right code for a proof.

use crate::application::Application;
use crate::error::{Error, Refusal};
use crate::model::{Address, Code, GroupId, Proof, Purpose, Timestamp, VerificationId};

/// Somebody types a code.
#[derive(Debug)]
pub struct CheckCode {
    /// Of which verification.
    pub which: Which,
    /// What was typed.
    pub code: Code,
}

/// How a verification is named.
#[derive(Debug)]
pub enum Which {
    /// By its id.
    Id(VerificationId),
    /// The latest one of an address and purpose.
    Latest(GroupId, Address, Purpose),
}

/// The code was right.
#[derive(Debug)]
pub struct CheckedCode {
    /// The proof.
    pub proof: Proof,
    /// From when on it is not accepted.
    pub expires_at: Timestamp,
}

impl CheckCode {
    /// Checks the code.
    ///
    /// # Errors
    /// A verification that is gone, a wrong code, too many tries.
    pub async fn execute(self, app: &Application) -> Result<CheckedCode, Error> {
        let id = match &self.which {
            Which::Id(id) => *id,
            Which::Latest(group, address, purpose) => {
                app.latest_verification(group, address, *purpose).await?
            }
        };
        let record = app.verification(id).await?;
        if record.purpose == Purpose::ConfirmSignUp {
            return Err(Refusal::Verification.into());
        }
        app.check_code(&record, &self.code).await?;
        let proof = app.keep_proof(&record).await?;
        Ok(CheckedCode {
            proof,
            expires_at: app.clock.now().plus(app.settings.verification.proof_ttl),
        })
    }
}
