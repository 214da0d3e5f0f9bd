//! A notifier for tests: it counts.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::ports::Notifier;

/// Counts what was notified.
#[derive(Debug, Default)]
pub struct Notifications {
    revocations: AtomicU32,
    messages: AtomicU32,
}

impl Notifications {
    /// How often revocations were committed.
    pub fn revocations(&self) -> u32 {
        self.revocations.load(Ordering::SeqCst)
    }

    /// How often a message was queued.
    pub fn messages(&self) -> u32 {
        self.messages.load(Ordering::SeqCst)
    }
}

impl Notifier for Notifications {
    fn revocations_committed(&self) {
        self.revocations.fetch_add(1, Ordering::SeqCst);
    }

    fn message_queued(&self) {
        self.messages.fetch_add(1, Ordering::SeqCst);
    }
}
