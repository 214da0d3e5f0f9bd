//! An entry of the revocation feed.

use std::time::Duration;

use crate::model::{SessionId, Timestamp};

/// A session whose access tokens must not be accepted any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Revocation {
    /// The session that was ended.
    pub session_id: SessionId,
    /// When, by the database's clock.
    pub revoked_at: Timestamp,
    /// Up to when the entry is needed: [`Self::kept_until`].
    pub expires_at: Timestamp,
}

impl Revocation {
    /// What is added to the life of the last access token: the longest life
    /// that any configuration may give one, so that neither a setting that
    /// differs between replicas nor a clock that is set makes an entry go too
    /// early.
    pub const MARGIN: Duration = Duration::from_secs(24 * 60 * 60);

    /// Up to when the revocation of a session is needed whose last access token
    /// expires at `access_expires_at`.
    #[must_use]
    pub fn kept_until(access_expires_at: Timestamp, revoked_at: Timestamp) -> Timestamp {
        access_expires_at.max(revoked_at).plus(Self::MARGIN)
    }
}
