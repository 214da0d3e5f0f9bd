//! The role of telling those who wait that there is something to do.

/// Wakes jobs of this replica and of the others. It is a hint: jobs look by
/// themselves too, so a lost one delays and loses nothing.
pub trait Notifier: Send + Sync {
    /// Revocations were committed: every replica should read the feed now.
    fn revocations_committed(&self);

    /// A message was queued: a job of this replica should send it now.
    fn message_queued(&self);
}
