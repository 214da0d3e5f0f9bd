//! What the commands work with that look after callers.

use crate::model::{AuditAction, AuditEvent, CallerName, Origin};
use crate::ports::{Clock, Random, Store};

/// What the commands work with that look after callers.
#[derive(Clone, Copy)]
pub struct CallerKeeper<'a> {
    /// Where the callers are kept.
    pub store: &'a dyn Store,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Randomness.
    pub random: &'a dyn Random,
    /// Where the command comes from.
    pub origin: &'a Origin,
}

impl CallerKeeper<'_> {
    /// An entry of the audit log about something that is done to a caller now.
    pub(crate) fn event(&self, action: AuditAction, caller: &CallerName) -> AuditEvent {
        let now = self.clock.now();
        AuditEvent::new(action, self.origin.clone(), now, self.random).on_caller(caller)
    }
}

impl std::fmt::Debug for CallerKeeper<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallerKeeper")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}
