//! Messages on their way out.

use async_trait::async_trait;

use super::MemoryStore;
use super::tables::{QueuedRow, Tables, delete_over, insert};
use super::unit_of_work::MemoryUnitOfWork;
use crate::model::{
    Backlog, ClaimedMessage, DeliveryState, MessageId, MessageKind, QueuedMessage, Settlement,
    Timestamp,
};
use crate::ports::{Clock as _, Outbox, OutboxChanges, Retention, StoreError};

impl QueuedRow {
    fn new(message: &QueuedMessage) -> Self {
        Self {
            message: message.clone(),
            state: DeliveryState::Queued,
            attempts: 0,
            due_at: message.created_at,
        }
    }

    fn is_claimable(&self, now: Timestamp) -> bool {
        let is_due = match self.state {
            DeliveryState::Queued => self.due_at <= now,
            DeliveryState::Sending => self.due_at < now,
            DeliveryState::Failed => false,
        };
        is_due && self.message.expires_at > now
    }

    fn claim(&mut self, until: Timestamp) -> ClaimedMessage {
        let claimed = ClaimedMessage {
            message: self.message.clone(),
            attempts: self.attempts,
            is_doubtful: self.state == DeliveryState::Sending,
        };
        self.state = DeliveryState::Sending;
        self.attempts += 1;
        self.due_at = until;
        claimed
    }
}

impl Tables {
    pub(super) fn delete_expired_messages(&mut self, retention: Retention, limit: usize) -> usize {
        delete_over(&mut self.outbox, limit, |row| {
            row.message.expires_at < retention.now
        })
    }

    fn claim(&mut self, now: Timestamp, until: Timestamp, limit: usize) -> Vec<ClaimedMessage> {
        let claimable = self.outbox.values_mut().filter(|row| row.is_claimable(now));
        let mut rows: Vec<_> = claimable.collect();
        rows.sort_by_key(|row| {
            let is_notice = row.message.kind == MessageKind::Notice;
            (is_notice, row.due_at, row.message.id)
        });
        rows.into_iter()
            .take(limit)
            .map(|row| row.claim(until))
            .collect()
    }

    fn settle(&mut self, id: MessageId, settlement: Settlement) {
        let Some(row) = self.outbox.get_mut(&id) else {
            return;
        };
        match settlement {
            Settlement::Sent | Settlement::LeftOut => {
                self.outbox.remove(&id);
            }
            Settlement::RetryAt(due_at) => {
                row.state = DeliveryState::Queued;
                row.due_at = due_at;
            }
            Settlement::Failed => row.state = DeliveryState::Failed,
        }
    }
}

#[async_trait]
impl Outbox for MemoryStore {
    async fn enqueue(&self, message: &QueuedMessage) -> Result<(), StoreError> {
        self.faults.begin()?;
        self.write(|tables| insert(&mut tables.outbox, message.id, QueuedRow::new(message)))
            .await??;
        self.faults.answer()
    }

    async fn claim_messages(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<ClaimedMessage>, StoreError> {
        self.write(|tables| tables.claim(now, until, limit as usize))
            .await
    }

    async fn settle_messages(&self, settled: &[(MessageId, Settlement)]) -> Result<(), StoreError> {
        self.write(|tables| {
            for (id, settlement) in settled {
                tables.settle(*id, *settlement);
            }
        })
        .await
    }

    async fn delivery_state(&self, id: MessageId) -> Result<Option<DeliveryState>, StoreError> {
        let now = self.clock.now();
        self.read(|tables| {
            let row = tables.outbox.get(&id)?;
            (row.message.expires_at > now).then_some(row.state)
        })
    }

    async fn backlog(&self) -> Result<Backlog, StoreError> {
        let now = self.clock.now();
        self.read(|tables| {
            let rows = tables.outbox.values();
            let waiting = rows
                .filter(|row| row.state != DeliveryState::Failed && row.message.expires_at > now);
            let queued: Vec<_> = waiting.map(|row| row.message.created_at).collect();
            Backlog {
                messages: queued.len() as u64,
                oldest: queued.into_iter().min(),
            }
        })
    }
}

#[async_trait]
impl OutboxChanges for MemoryUnitOfWork {
    async fn insert_message(&mut self, message: &QueuedMessage) -> Result<(), StoreError> {
        insert(&mut self.tables.outbox, message.id, QueuedRow::new(message))
    }
}
