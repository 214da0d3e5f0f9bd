//! What goes wrong with what lasts.

/// Why the store did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, or it is not certain what it did.
    #[error("{0}")]
    Unavailable(String),
    /// The database has not said whether it made the change: it may have.
    #[error("{0}")]
    Uncertain(String),
    /// A value that exists once is taken: nothing was changed.
    #[error("taken already")]
    Taken,
    /// Another unit of work was faster, or a row that is pointed at is gone:
    /// nothing was changed, and it may be tried again.
    #[error("changed at the same time")]
    Conflict,
    /// A row cannot be read.
    #[error("{0}")]
    Corrupt(String),
}
