//! The revocation feed.

use async_trait::async_trait;

use super::StoreError;
use crate::model::{Revocation, SessionId, Timestamp};

/// Reads the revocation feed. It is written by
/// [`SessionChanges`](super::SessionChanges), which end sessions, and by
/// [`RevocationChanges`].
#[async_trait]
pub trait Revocations {
    /// The first `limit` revocations from a position on that are needed at
    /// `now`. A row that cannot be read is left out, and named in the log.
    async fn revocations(
        &self,
        from: &FeedPosition,
        now: Timestamp,
        limit: u32,
    ) -> Result<FeedPage, StoreError>;

    /// The entries with these ids, as far as there are any.
    async fn revocations_of(&self, ids: &[SessionId]) -> Result<Vec<Revocation>, StoreError>;
}

/// Enters tokens in the feed that belong to no session.
#[async_trait]
pub trait RevocationChanges {
    /// Enters an id under the database's time, or stamps it anew, kept as
    /// [`Revocation::kept_until`] says, and never shorter than before.
    async fn put_revocation(
        &mut self,
        id: SessionId,
        needed_until: Timestamp,
    ) -> Result<Revocation, StoreError>;

    /// Enters an id that must not be there yet, likewise: [`StoreError::Taken`] if it
    /// is.
    async fn insert_revocation(
        &mut self,
        id: SessionId,
        needed_until: Timestamp,
    ) -> Result<Revocation, StoreError>;

    /// The entries with these ids, as this unit of work sees them.
    async fn entered_revocations(
        &mut self,
        ids: &[SessionId],
    ) -> Result<Vec<Revocation>, StoreError>;
}

/// A part of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPage {
    /// What can be read of it.
    pub revocations: Vec<Revocation>,
    /// Where the next part begins. `None` after the last one.
    pub next: Option<FeedPosition>,
}

/// A position in the feed, which is ordered by the database's stamps and, where
/// they are equal, by the bytes of the sessions' ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPosition {
    /// What was stamped before is passed over.
    pub revoked_at: Timestamp,
    /// Of what was stamped at that time, ids up to this one are passed over.
    pub after: Option<Vec<u8>>,
}

impl FeedPosition {
    /// Where what was stamped at or after this time begins.
    #[must_use]
    pub fn since(revoked_at: Timestamp) -> Self {
        Self {
            revoked_at,
            after: None,
        }
    }
}
