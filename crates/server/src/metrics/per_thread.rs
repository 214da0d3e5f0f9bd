//! Counts that each thread keeps for itself: what all cores write, each waits
//! for, and a validation is too short for that.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// More threads than these that count at the same time share a place.
const PLACES: usize = 16;

/// A `T` for each thread.
#[derive(Debug)]
pub(crate) struct PerThread<T>([Place<T>; PLACES]);

/// In lines of the processor's cache that it shares with no other.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Place<T>(T);

static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static PLACE: Cell<usize> =
        Cell::new(THREADS.fetch_add(1, Ordering::Relaxed) % PLACES);
}

impl<T> PerThread<T> {
    /// That of this thread.
    pub(crate) fn mine(&self) -> &T {
        &self.0[PLACE.get()].0
    }

    /// Those of all threads.
    pub(crate) fn all(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|place| &place.0)
    }
}

impl<T: Default> Default for PerThread<T> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Place::default()))
    }
}
