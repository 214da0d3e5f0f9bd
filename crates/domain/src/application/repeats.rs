//! Repeating units of work that lost a race.

use crate::error::Error;

/// How often a unit of work is repeated.
const MOST: u32 = 5;

/// Counts the repetitions of a unit of work.
#[derive(Debug, Default)]
pub(crate) struct Repeats(u32);

impl Repeats {
    /// Whether to begin anew after this error: somebody else was faster, and
    /// that has not happened too often.
    pub(crate) fn allow(&mut self, error: &Error) -> bool {
        self.0 += 1;
        error.is_conflict() && self.0 <= MOST
    }
}
