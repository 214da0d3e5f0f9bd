//! An entry of the revocation feed.

use crate::model::{SessionId, Timestamp};

/// A session whose access tokens must not be accepted any more. The entry is
/// needed until the last of them has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Revocation {
    /// The session that was ended.
    pub session_id: SessionId,
    /// When.
    pub revoked_at: Timestamp,
    /// When the last access token of the session has expired.
    pub expires_at: Timestamp,
}
