//! Looking at a verification, and cancelling it.

use crate::application::Application;
use crate::error::Error;
use crate::model::{DeliveryState, LinkToken, VerificationId, VerificationRecord};

/// Somebody looks at a verification.
#[derive(Debug)]
pub struct GetVerification {
    /// Which.
    pub id: VerificationId,
}

/// A page looks at the verification of the link that led to it.
#[derive(Debug)]
pub struct GetVerificationOfLink {
    /// What stood behind `#` in the link.
    pub token: LinkToken,
}

/// Somebody kills a code or a link.
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
    /// Where the message with the code or the link is.
    pub delivery: Delivery,
}

/// Where the message with a code or a link is.
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
    /// Not told: only users get such messages, and any answer would tell who is
    /// one.
    Withheld,
}

impl GetVerification {
    /// Shows the verification.
    ///
    /// # Errors
    /// If it is gone.
    pub async fn execute(self, app: &Application) -> Result<ShownVerification, Error> {
        let record = app.verifications.find(self.id).await?;
        ShownVerification::of(record, app).await
    }
}

impl GetVerificationOfLink {
    /// Shows the verification. The link stays good.
    ///
    /// # Errors
    /// If it is gone, or never was.
    pub async fn execute(self, app: &Application) -> Result<ShownVerification, Error> {
        let record = app.verifications.find_link(&self.token).await?;
        ShownVerification::of(record, app).await
    }
}

impl ShownVerification {
    async fn of(record: VerificationRecord, app: &Application) -> Result<Self, Error> {
        let remaining_attempts = app.verifications.remaining_tries(&record).await?;
        let delivery = match record.message {
            None => Delivery::ByCaller,
            Some(_) if record.purpose.is_for_users() => Delivery::Withheld,
            Some(message) => match app.store.delivery_state(message).await? {
                None => Delivery::Sent,
                Some(DeliveryState::Queued | DeliveryState::Sending) => Delivery::Queued,
                Some(DeliveryState::Failed) => Delivery::Failed,
            },
        };
        Ok(Self {
            record,
            remaining_attempts,
            delivery,
        })
    }
}

impl CancelVerification {
    /// Kills the code or the link. If it is gone already, that is no error.
    ///
    /// # Errors
    /// Unavailable, if it is not certain that it is dead.
    pub async fn execute(self, app: &Application) -> Result<(), Error> {
        app.verifications.cancel(self.id).await
    }
}
