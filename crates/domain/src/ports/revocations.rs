//! The revocation feed.

use async_trait::async_trait;

use super::StoreError;
use crate::model::{Revocation, Timestamp};

/// Reads the revocation feed. It is written by
/// [`SessionChanges`](super::SessionChanges), which end sessions.
#[async_trait]
pub trait Revocations {
    /// The revocations that the database stamped at or after `since` and that
    /// are needed at `now`. A row that cannot be read is left out, and named in
    /// the log.
    async fn revocations(
        &self,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Revocation>, StoreError>;
}
