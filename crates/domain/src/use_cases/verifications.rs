//! Looking at a verification, and cancelling it.

use crate::application::Application;
use crate::error::{Error, Refusal};
use crate::model::{VerificationId, VerificationRecord};

/// Somebody looks at a verification.
#[derive(Debug)]
pub struct GetVerification {
    /// Which.
    pub id: VerificationId,
}

/// Somebody kills a code.
#[derive(Debug)]
pub struct CancelVerification {
    /// Of which verification.
    pub id: VerificationId,
}

/// A verification that can still be passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownVerification {
    /// The verification.
    pub record: VerificationRecord,
    /// Tries left.
    pub remaining_attempts: u32,
}

impl GetVerification {
    /// Shows the verification.
    ///
    /// # Errors
    /// If it is gone.
    pub async fn execute(self, app: &Application) -> Result<ShownVerification, Error> {
        let record = app.verification(self.id).await?;
        let remaining_attempts = app.remaining_tries(&record).await?;
        Ok(ShownVerification {
            record,
            remaining_attempts,
        })
    }
}

impl CancelVerification {
    /// Kills the code. If it is gone already, that is no error.
    ///
    /// # Errors
    /// Unavailable, if it is not certain that it is dead.
    pub async fn execute(self, app: &Application) -> Result<(), Error> {
        match app.verification(self.id).await {
            Ok(record) => app.cancel_code(&record).await,
            Err(Error::Refused(Refusal::Verification)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
