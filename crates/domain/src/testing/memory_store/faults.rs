//! What goes wrong with a database, on demand.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::MemoryStore;
use crate::ports::StoreError;

/// What goes wrong at present.
#[derive(Debug, Default)]
pub(super) struct Faults {
    feed_fails: AtomicBool,
    feed_takes: Mutex<Duration>,
    time_takes: Mutex<Duration>,
    begins_fail: AtomicBool,
    commits_fail: AtomicBool,
    conflicts: AtomicU32,
}

impl MemoryStore {
    /// From now on the revocation feed cannot be read, or can be again.
    pub fn fail_feed(&self, fail: bool) {
        self.faults.feed_fails.store(fail, Ordering::SeqCst);
    }

    /// From now on so much time passes while the revocation feed is read.
    pub fn slow_feed(&self, takes: Duration) {
        set(&self.faults.feed_takes, takes);
    }

    /// From now on so much time passes while the time is read: half of it
    /// before, half after.
    pub fn slow_time(&self, takes: Duration) {
        set(&self.faults.time_takes, takes);
    }

    /// From now on no unit of work can be begun, or each can be again.
    pub fn fail_begins(&self, fail: bool) {
        self.faults.begins_fail.store(fail, Ordering::SeqCst);
    }

    /// From now on no unit of work can be committed, or each can be again.
    pub fn fail_commits(&self, fail: bool) {
        self.faults.commits_fail.store(fail, Ordering::SeqCst);
    }

    /// The next `commits` lose a race.
    pub fn conflict(&self, commits: u32) {
        self.faults.conflicts.store(commits, Ordering::SeqCst);
    }
}

impl Faults {
    /// How long it takes to read the feed, if that is possible.
    pub(super) fn feed(&self) -> Result<Duration, StoreError> {
        unless(&self.feed_fails)?;
        Ok(get(&self.feed_takes))
    }

    /// How long it takes to read the time.
    pub(super) fn time(&self) -> Duration {
        get(&self.time_takes)
    }

    /// Whether a unit of work can be begun.
    pub(super) fn begin(&self) -> Result<(), StoreError> {
        unless(&self.begins_fail)
    }

    /// Whether a unit of work can be committed.
    pub(super) fn commit(&self) -> Result<(), StoreError> {
        unless(&self.commits_fail)?;
        let lose = |left: u32| left.checked_sub(1);
        let conflicts = &self.conflicts;
        match conflicts.fetch_update(Ordering::SeqCst, Ordering::SeqCst, lose) {
            Ok(_) => Err(StoreError::Conflict),
            Err(_) => Ok(()),
        }
    }
}

fn set(duration: &Mutex<Duration>, to: Duration) {
    *duration.lock().unwrap_or_else(PoisonError::into_inner) = to;
}

fn get(duration: &Mutex<Duration>) -> Duration {
    *duration.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unless(fails: &AtomicBool) -> Result<(), StoreError> {
    if fails.load(Ordering::SeqCst) {
        return Err(StoreError::Unavailable("the database is away".into()));
    }
    Ok(())
}
