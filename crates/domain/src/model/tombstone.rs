//! What is left of an address whose holder has left: a keyed hash, until it may join
//! again.

use crate::model::Timestamp;

/// A keyed hash of an address in its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TombstoneDigest([u8; 32]);

/// What is left of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// Of which.
    pub digest: TombstoneDigest,
    /// When its holder left.
    pub withdrawn_at: Timestamp,
    /// From when on it may join again.
    pub expires_at: Timestamp,
}

impl TombstoneDigest {
    /// The digest with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, as they are stored.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}
