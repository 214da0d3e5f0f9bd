//! What goes wrong with a database, on demand.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::ports::StoreError;

/// What goes wrong at present.
#[derive(Debug, Default)]
pub(super) struct Faults {
    pub(super) feed_fails: AtomicBool,
    pub(super) feed_takes: Mutex<Duration>,
    pub(super) time_takes: Mutex<Duration>,
    pub(super) begins_fail: AtomicBool,
    pub(super) commits_fail: AtomicBool,
    pub(super) conflicts: AtomicU32,
    pub(super) answers_lost: AtomicBool,
    pub(super) accounts_read: AtomicU32,
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

    /// Whether it is heard that a change was made.
    pub(super) fn answer(&self) -> Result<(), StoreError> {
        if self.answers_lost.load(Ordering::SeqCst) {
            return Err(StoreError::Uncertain("there is no answer".into()));
        }
        Ok(())
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

pub(super) fn set(duration: &Mutex<Duration>, to: Duration) {
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
