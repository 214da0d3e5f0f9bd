//! The password of a user, and how often it was missed in a row.

use crate::model::{PasswordHash, Timestamp, UserId};

/// What is kept of a user's password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordCredential {
    /// Whose password.
    pub user_id: UserId,
    /// Its hash.
    pub hash: PasswordHash,
    /// Attempts since the last good one, each counted before its comparison.
    pub failures: u32,
    /// When the hash was written last.
    pub updated_at: Timestamp,
}

impl PasswordCredential {
    /// A password just set.
    #[must_use]
    pub fn new(user_id: UserId, hash: PasswordHash, now: Timestamp) -> Self {
        Self {
            user_id,
            hash,
            failures: 0,
            updated_at: now,
        }
    }
}
