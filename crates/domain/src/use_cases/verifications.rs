//! Looking at a verification, and cancelling it.

use crate::application::Application;
use crate::error::Error;
use crate::model::{DeliveryState, VerificationId, VerificationRecord};

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
    /// Where the message with the code is.
    pub delivery: Delivery,
}

/// Where the message with a code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// There is none: the caller delivers the code.
    ByCaller,
    /// On its way.
    Queued,
    /// Handed over to the provider.
    Sent,
    /// Not sent, and not tried again.
    Failed,
}

impl GetVerification {
    /// Shows the verification.
    ///
    /// # Errors
    /// If it is gone.
    pub async fn execute(self, app: &Application) -> Result<ShownVerification, Error> {
        let record = app.verifications.find(self.id).await?;
        let remaining_attempts = app.verifications.remaining_tries(&record).await?;
        let delivery = match record.message {
            None => Delivery::ByCaller,
            Some(message) => match app.store.delivery_state(message).await? {
                None => Delivery::Sent,
                Some(DeliveryState::Queued | DeliveryState::Sending) => Delivery::Queued,
                Some(DeliveryState::Failed) => Delivery::Failed,
            },
        };
        Ok(ShownVerification {
            record,
            remaining_attempts,
            delivery,
        })
    }
}

impl CancelVerification {
    /// Kills the code. If it is gone already, that is no error.
    ///
    /// # Errors
    /// Unavailable, if it is not certain that it is dead.
    pub async fn execute(self, app: &Application) -> Result<(), Error> {
        app.verifications.cancel(self.id).await
    }
}
