//! Budgets, and what is said of charging them.

use std::time::Duration;

/// So many events of one name in a window, and no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// What the events have in common. It tells nobody whom it is about.
    pub name: String,
    /// How many events the window has room for.
    pub limit: u32,
    /// How long the window is, from the first event.
    pub window: Duration,
}

/// What [`spend`](super::EphemeralStore::spend) and
/// [`supersede`](super::EphemeralStore::supersede) say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spending {
    /// All budgets are charged.
    Spent,
    /// None is charged.
    Refused {
        /// The position of the first budget that is used up, or for which
        /// there is no room.
        index: usize,
        /// When to try again.
        retry_after: Duration,
    },
}
