//! What is left of the addresses of people who have left.

use async_trait::async_trait;

use super::StoreError;
use crate::model::{Timestamp, Tombstone, TombstoneDigest};

/// Reads and writes tombstones.
#[async_trait]
pub trait TombstoneChanges {
    /// Adds a tombstone. Of one that is there already, the later times count.
    async fn put_tombstone(&mut self, tombstone: &Tombstone) -> Result<(), StoreError>;

    /// The tombstone with a digest, if it has not expired.
    async fn tombstone(
        &mut self,
        digest: &TombstoneDigest,
        now: Timestamp,
    ) -> Result<Option<Tombstone>, StoreError>;
}
