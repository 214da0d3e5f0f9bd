//! The revocation feed.

use async_trait::async_trait;

use super::MemoryStore;
use super::tables::{Tables, delete_over, insert};
use super::unit_of_work::MemoryUnitOfWork;
use crate::model::{Revocation, SessionId, Timestamp};
use crate::ports::{
    Clock as _, FeedPage, FeedPosition, Retention, RevocationChanges, Revocations, StoreError,
};

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

    fn revocations_of(&self, ids: &[SessionId]) -> Vec<Revocation> {
        let known = ids.iter().filter_map(|id| self.revocations.get(id));
        known.copied().collect()
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

    async fn revocations_of(&self, ids: &[SessionId]) -> Result<Vec<Revocation>, StoreError> {
        self.read(|tables| tables.revocations_of(ids))
    }
}

#[async_trait]
impl RevocationChanges for MemoryUnitOfWork {
    async fn put_revocation(
        &mut self,
        id: SessionId,
        needed_until: Timestamp,
    ) -> Result<Revocation, StoreError> {
        let mut entry = entry(id, needed_until, self.clock.now());
        if let Some(known) = self.tables.revocations.get(&id) {
            entry.expires_at = entry.expires_at.max(known.expires_at);
        }
        self.tables.revocations.insert(id, entry);
        Ok(entry)
    }

    async fn insert_revocation(
        &mut self,
        id: SessionId,
        needed_until: Timestamp,
    ) -> Result<Revocation, StoreError> {
        let entry = entry(id, needed_until, self.clock.now());
        insert(&mut self.tables.revocations, id, entry)?;
        Ok(entry)
    }

    async fn entered_revocations(
        &mut self,
        ids: &[SessionId],
    ) -> Result<Vec<Revocation>, StoreError> {
        Ok(self.tables.revocations_of(ids))
    }
}

fn entry(session_id: SessionId, needed_until: Timestamp, revoked_at: Timestamp) -> Revocation {
    Revocation {
        session_id,
        revoked_at,
        expires_at: Revocation::kept_until(needed_until, revoked_at),
    }
}
