//! What goes wrong with a database, on demand.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::MemoryStore;
use crate::ports::StoreError;

/// What goes wrong at present.
#[derive(Debug, Default)]
pub(super) struct Faults {
    feed_fails: AtomicBool,
    feed_takes: Mutex<Duration>,
    commits_fail: AtomicBool,
}

impl MemoryStore {
    /// From now on the revocation feed cannot be read, or can be again.
    pub fn fail_feed(&self, fail: bool) {
        self.faults.feed_fails.store(fail, Ordering::SeqCst);
    }

    /// From now on so much time passes while the revocation feed is read.
    pub fn slow_feed(&self, takes: Duration) {
        let feed_takes = &self.faults.feed_takes;
        *feed_takes.lock().unwrap_or_else(PoisonError::into_inner) = takes;
    }

    /// From now on no unit of work can be committed, or each can be again.
    pub fn fail_commits(&self, fail: bool) {
        self.faults.commits_fail.store(fail, Ordering::SeqCst);
    }
}

impl Faults {
    /// How long it takes to read the feed, if that is possible.
    pub(super) fn feed(&self) -> Result<Duration, StoreError> {
        unless(&self.feed_fails)?;
        let takes = self.feed_takes.lock();
        Ok(*takes.unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether a unit of work can be committed.
    pub(super) fn commit(&self) -> Result<(), StoreError> {
        unless(&self.commits_fail)
    }
}

fn unless(fails: &AtomicBool) -> Result<(), StoreError> {
    if fails.load(Ordering::SeqCst) {
        return Err(StoreError::Unavailable("the database is away".into()));
    }
    Ok(())
}
