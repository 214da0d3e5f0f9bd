//! The revocations younger than the longest access token, in memory.
//!
//! Whoever verifies a token reads the epoch first. As long as the epoch has not
//! moved, nothing was revoked since, and a hit in the cache costs one load.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use crate::model::{Revocation, SessionId, Timestamp};

/// Which sessions' access tokens must not be accepted, and how sure that is.
#[derive(Debug)]
pub struct RevocationFeed {
    sessions: RwLock<HashMap<SessionId, Timestamp>>,
    epoch: AtomicU64,
    /// Monotonic milliseconds at which the last complete reading began.
    read_at: AtomicU64,
}

const NEVER: u64 = u64::MAX;

impl RevocationFeed {
    /// A feed that was not read yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            sessions: RwLock::default(),
            epoch: AtomicU64::new(0),
            read_at: AtomicU64::new(NEVER),
        }
    }

    /// Enters revocations; known ones change nothing.
    pub fn enter(&self, revocations: impl IntoIterator<Item = Revocation>) {
        let mut sessions = self
            .sessions
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let mut changed = false;
        for revocation in revocations {
            changed |= sessions
                .insert(revocation.session_id, revocation.expires_at)
                .is_none();
        }
        drop(sessions);
        if changed {
            self.epoch.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Notes that all that the database held at `began` (monotonic) is entered.
    pub fn note_reading(&self, began: Duration) {
        self.read_at.store(millis(began), Ordering::Release);
    }

    /// Whether a complete reading began at most `bound` before `now` (monotonic).
    #[must_use]
    pub fn is_fresh(&self, now: Duration, bound: Duration) -> bool {
        match self.read_at.load(Ordering::Acquire) {
            NEVER => false,
            read_at => millis(now).saturating_sub(read_at) <= millis(bound),
        }
    }

    /// Whether the feed was ever read to the end.
    #[must_use]
    pub fn was_read(&self) -> bool {
        self.read_at.load(Ordering::Acquire) != NEVER
    }

    /// Rises whenever something was entered.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    /// Whether the session is entered.
    #[must_use]
    pub fn contains(&self, session: SessionId) -> bool {
        self.sessions
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .contains_key(&session)
    }

    /// Forgets what is needed no more: the tokens concerned have expired.
    pub fn forget_expired(&self, now: Timestamp) {
        let mut sessions = self
            .sessions
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, expires_at| *expires_at > now);
    }

    /// How many sessions are entered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sessions
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }

    /// Whether none is entered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Default for RevocationFeed {
    fn default() -> Self {
        Self::new()
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(NEVER - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revocation(id: u8, expires_at: i64) -> Revocation {
        Revocation {
            session_id: SessionId::from_bytes([id; 16]),
            revoked_at: Timestamp::from_seconds(0),
            expires_at: Timestamp::from_seconds(expires_at),
        }
    }

    #[test]
    fn the_epoch_moves_only_when_something_new_is_entered() {
        let feed = RevocationFeed::new();
        feed.enter([revocation(1, 10)]);
        let epoch = feed.epoch();
        feed.enter([revocation(1, 10)]);
        assert_eq!(feed.epoch(), epoch);
        feed.enter([revocation(2, 10)]);
        assert_ne!(feed.epoch(), epoch);
    }

    #[test]
    fn a_feed_never_read_is_never_fresh() {
        let feed = RevocationFeed::new();
        assert!(!feed.is_fresh(Duration::ZERO, Duration::from_secs(10)));
        feed.note_reading(Duration::from_secs(5));
        assert!(feed.is_fresh(Duration::from_secs(15), Duration::from_secs(10)));
        assert!(!feed.is_fresh(Duration::from_millis(15_001), Duration::from_secs(10)));
    }

    #[test]
    fn an_entry_is_forgotten_when_its_tokens_have_expired() {
        let feed = RevocationFeed::new();
        feed.enter([revocation(1, 10), revocation(2, 20)]);
        feed.forget_expired(Timestamp::from_seconds(10));
        assert!(!feed.contains(SessionId::from_bytes([1; 16])));
        assert!(feed.contains(SessionId::from_bytes([2; 16])));
    }
}
