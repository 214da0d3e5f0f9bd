//! What is left of the addresses of people who have left.

use async_trait::async_trait;

use super::tables::{Tables, delete_over};
use super::unit_of_work::MemoryUnitOfWork;
use crate::model::{Timestamp, Tombstone, TombstoneDigest};
use crate::ports::{Retention, StoreError, TombstoneChanges};

impl Tables {
    pub(super) fn delete_expired_tombstones(
        &mut self,
        retention: Retention,
        limit: usize,
    ) -> usize {
        delete_over(&mut self.tombstones, limit, |tombstone| {
            tombstone.expires_at < retention.now
        })
    }
}

#[async_trait]
impl TombstoneChanges for MemoryUnitOfWork {
    async fn put_tombstone(&mut self, tombstone: &Tombstone) -> Result<(), StoreError> {
        let stored = self.tables.tombstones.entry(tombstone.digest);
        let stored = stored.or_insert(*tombstone);
        stored.withdrawn_at = stored.withdrawn_at.max(tombstone.withdrawn_at);
        stored.expires_at = stored.expires_at.max(tombstone.expires_at);
        Ok(())
    }

    async fn tombstone(
        &mut self,
        digest: &TombstoneDigest,
        now: Timestamp,
    ) -> Result<Option<Tombstone>, StoreError> {
        let stored = self.tables.tombstones.get(digest).copied();
        Ok(stored.filter(|tombstone| now < tombstone.expires_at))
    }
}
