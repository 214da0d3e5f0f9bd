//! The revocation feed.

use async_trait::async_trait;

use super::{MemoryStore, Tables, delete_over};
use crate::model::{Revocation, Timestamp};
use crate::ports::{Retention, Revocations, StoreError};

impl Tables {
    pub(super) fn delete_expired_revocations(
        &mut self,
        retention: Retention,
        limit: usize,
    ) -> usize {
        delete_over(&mut self.revocations, limit, |revocation| {
            revocation.expires_at < retention.now
        })
    }
}

#[async_trait]
impl Revocations for MemoryStore {
    async fn revocations(
        &self,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Revocation>, StoreError> {
        self.read(|tables| {
            let all = tables.revocations.values().copied();
            all.filter(|entry| entry.revoked_at >= since && entry.expires_at > now)
                .collect()
        })
    }
}
