//! Waking jobs: those of this process, and by Redis those of the other replicas.

use countersign_domain::ports::Notifier;
use countersign_storage::{Changes, Subscription};
use tokio::sync::Notify;

/// Wakes the jobs that deliver messages and read revocations.
pub(crate) struct Notifications {
    messages: Notify,
    changes: Option<(Changes, Subscription)>,
}

impl Notifications {
    /// Without Redis other replicas find out by themselves.
    pub(crate) fn new(changes: Option<(Changes, Subscription)>) -> Self {
        Self {
            messages: Notify::new(),
            changes,
        }
    }

    /// Waits until a message is queued.
    pub(crate) async fn message(&self) {
        self.messages.notified().await;
    }
}

impl Notifier for Notifications {
    fn revocations_committed(&self) {
        if let Some((changes, _)) = &self.changes {
            changes.publish();
        }
    }

    fn message_queued(&self) {
        self.messages.notify_one();
    }
}
