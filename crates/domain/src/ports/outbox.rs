//! Messages on their way out.

use async_trait::async_trait;

use super::StoreError;
use crate::model::{
    Backlog, ClaimedMessage, DeliveryState, MessageId, QueuedMessage, Settlement, Timestamp,
};

/// Queues messages on their own, and lets a job deliver them.
#[async_trait]
pub trait Outbox {
    /// Queues a message, durably.
    ///
    /// # Errors
    /// On [`StoreError::Uncertain`] it may be queued all the same; on any other
    /// it is not, for certain.
    async fn enqueue(&self, message: &QueuedMessage) -> Result<(), StoreError>;

    /// Claims at most `limit` messages for the one who asks, codes first, and of each
    /// kind the oldest first, until `until`: those that are queued and due at `now`, and those whose claim
    /// ended before `now`. Expired ones are not claimed. Of many who ask at
    /// once, one gets each.
    async fn claim_messages(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<ClaimedMessage>, StoreError>;

    /// Writes down what became of claimed messages: those that were sent or left out
    /// are deleted.
    async fn settle_messages(&self, settled: &[(MessageId, Settlement)]) -> Result<(), StoreError>;

    /// Where a message is. `None` if it was sent, or has expired.
    async fn delivery_state(&self, id: MessageId) -> Result<Option<DeliveryState>, StoreError>;

    /// What waits to be sent: neither what has failed nor what has expired.
    async fn backlog(&self) -> Result<Backlog, StoreError>;
}

/// Queues messages in the unit of work that they tell of.
#[async_trait]
pub trait OutboxChanges {
    /// Queues a message.
    async fn insert_message(&mut self, message: &QueuedMessage) -> Result<(), StoreError>;
}
