//! The revocation feed.

use async_trait::async_trait;

use super::MemoryStore;
use super::tables::{Tables, delete_over};
use crate::model::{Revocation, Timestamp};
use crate::ports::{FeedPage, FeedPosition, Retention, Revocations, StoreError};

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
        from: &FeedPosition,
        now: Timestamp,
        limit: u32,
    ) -> Result<FeedPage, StoreError> {
        let is_ahead = |entry: &Revocation| {
            let is_after = |id: &Vec<u8>| entry.session_id.as_bytes()[..] > id[..];
            entry.revoked_at > from.revoked_at
                || entry.revoked_at == from.revoked_at && from.after.as_ref().is_none_or(is_after)
        };
        self.clock.advance(self.faults.feed()?);
        let mut revocations: Vec<_> = self.read(|tables| {
            let all = tables.revocations.values().copied();
            all.filter(|entry| is_ahead(entry) && entry.expires_at > now)
                .collect()
        })?;
        revocations.sort_by_key(|entry| (entry.revoked_at, entry.session_id));
        revocations.truncate(limit as usize);
        let is_full = revocations.len() == limit as usize;
        let last = revocations.last().filter(|_| is_full);
        let next = last.map(|last| FeedPosition {
            revoked_at: last.revoked_at,
            after: Some(last.session_id.as_bytes().to_vec()),
        });
        Ok(FeedPage { revocations, next })
    }
}
