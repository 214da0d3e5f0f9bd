//! The revocation feed.

use async_trait::async_trait;

use super::StoreError;
use crate::model::{Revocation, Timestamp};

/// Reads the revocation feed. It is written by
/// [`SessionChanges`](super::SessionChanges), which end sessions.
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
