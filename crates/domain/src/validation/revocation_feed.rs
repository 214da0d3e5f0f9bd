//! The revocations that are needed, in memory.
//!
//! Whoever verifies a token reads the epoch first. As long as the epoch has not
//! moved, nothing was revoked since, and a hit in the cache costs one load.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock, RwLockWriteGuard};
use std::time::Duration;

use super::freshness::Freshness;
use crate::model::{Revocation, SessionId, Timestamp};
use crate::ports::{Clock, LONGEST_UNIT_OF_WORK};

/// Which sessions' access tokens must not be accepted, and how sure that is.
#[derive(Debug)]
pub struct RevocationFeed {
    sessions: RwLock<HashMap<SessionId, Entry>>,
    epoch: AtomicU64,
    freshness: Freshness,
    /// The database's time at which the last complete reading began.
    read_at: Mutex<Option<Timestamp>>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Up to when it is needed, on the monotonic clock: no clock that is set makes one
    /// be forgotten.
    needed: Duration,
    /// When it was revoked last, by the database's clock.
    revoked_at: Timestamp,
}

/// How many entries are forgotten before others get their turn.
const FORGOTTEN_AT_ONCE: usize = 1024;

impl RevocationFeed {
    /// A feed that was not read yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            sessions: RwLock::default(),
            epoch: AtomicU64::new(0),
            freshness: Freshness::new(),
            read_at: Mutex::new(None),
        }
    }

    /// Enters revocations; known ones change nothing.
    pub fn enter(&self, revocations: &[Revocation], clock: &dyn Clock) {
        let (now, monotonic) = (clock.now(), clock.monotonic());
        let mut sessions = self.write();
        let mut is_new = false;
        for revocation in revocations {
            let entry = Entry {
                needed: monotonic + revocation.expires_at.since(now),
                revoked_at: revocation.revoked_at,
            };
            sessions
                .entry(revocation.session_id)
                .and_modify(|known| {
                    is_new |= known.revoked_at < entry.revoked_at;
                    known.needed = known.needed.max(entry.needed);
                    known.revoked_at = known.revoked_at.max(entry.revoked_at);
                })
                .or_insert_with(|| {
                    is_new = true;
                    entry
                });
        }
        drop(sessions);
        if is_new {
            self.epoch.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// From which time on the feed has to be read at `now`, both by the
    /// database's clock: from the beginning of the last complete reading, less
    /// the longest time in which a change becomes readable; from the first
    /// revocation on at the start, and after the database's clock was set back.
    #[must_use]
    pub fn read_from(&self, now: Timestamp) -> Timestamp {
        let read_at = *self.read_at.lock().unwrap_or_else(PoisonError::into_inner);
        match read_at {
            Some(read_at) if read_at <= now => read_at.minus(LONGEST_UNIT_OF_WORK),
            _ => Timestamp::from_millis(i64::MIN),
        }
    }

    /// Notes that all is entered that the database held when its clock showed
    /// `read_at`, at `began` on the monotonic clock.
    pub fn note_reading(&self, read_at: Timestamp, began: Duration) {
        *self.read_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(read_at);
        self.freshness.note(began);
    }

    /// Whether a complete reading began at most `bound` before `now` (monotonic).
    #[must_use]
    pub fn is_fresh(&self, now: Duration, bound: Duration) -> bool {
        self.freshness.is_within(now, bound)
    }

    /// How long ago the last complete reading began, at `now` (monotonic).
    #[must_use]
    pub fn age(&self, now: Duration) -> Option<Duration> {
        self.freshness.age(now)
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

    /// When it was revoked last, if it is entered.
    #[must_use]
    pub fn revoked_at(&self, id: SessionId) -> Option<Timestamp> {
        let sessions = self.sessions.read();
        let sessions = sessions.unwrap_or_else(PoisonError::into_inner);
        sessions.get(&id).map(|entry| entry.revoked_at)
    }

    /// Forgets what is needed no more at `now` (monotonic). Those who validate
    /// do not wait for it, however much there is.
    pub fn forget_expired(&self, now: Duration) {
        let sessions = self.sessions.read();
        let sessions = sessions.unwrap_or_else(PoisonError::into_inner);
        let expired: Vec<SessionId> = sessions
            .iter()
            .filter(|(_, entry)| entry.needed <= now)
            .map(|(session, _)| *session)
            .collect();
        drop(sessions);
        for batch in expired.chunks(FORGOTTEN_AT_ONCE) {
            let mut sessions = self.write();
            for session in batch {
                if sessions
                    .get(session)
                    .is_some_and(|entry| entry.needed <= now)
                {
                    sessions.remove(session);
                }
            }
        }
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

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<SessionId, Entry>> {
        self.sessions
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for RevocationFeed {
    fn default() -> Self {
        Self::new()
    }
}
