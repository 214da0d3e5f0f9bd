//! Counting outcomes by their reason.

use std::collections::BTreeMap;
use std::fmt;

use tonic::Status;

use crate::details::reason;

/// How often each outcome came: `OK`, or the reason of the error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally(BTreeMap<String, usize>);

impl Tally {
    /// Counts the outcomes.
    #[must_use]
    pub fn of<'a, T: 'a>(outcomes: impl IntoIterator<Item = &'a Result<T, Status>>) -> Self {
        let mut tally = Self::default();
        for outcome in outcomes {
            tally.add(&reason(outcome));
        }
        tally
    }

    /// Counts one outcome.
    pub fn add(&mut self, outcome: &str) {
        *self.0.entry(outcome.into()).or_default() += 1;
    }

    /// Counts what another has counted.
    pub fn add_all(&mut self, other: &Self) {
        for (outcome, count) in &other.0 {
            *self.0.entry(outcome.clone()).or_default() += count;
        }
    }

    /// How many outcomes came in all.
    #[must_use]
    pub fn total(&self) -> usize {
        self.0.values().sum()
    }

    /// How often an outcome came.
    #[must_use]
    pub fn count(&self, outcome: &str) -> usize {
        self.0.get(outcome).copied().unwrap_or_default()
    }

    /// Asserts that nothing but these outcomes came.
    ///
    /// # Panics
    /// If something else did.
    pub fn assert_only(&self, allowed: &[&str]) {
        for outcome in self.0.keys() {
            assert!(
                allowed.contains(&outcome.as_str()),
                "{outcome} came, only {allowed:?} may: {self}"
            );
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self
            .0
            .iter()
            .map(|(outcome, count)| format!("{count} {outcome}"))
            .collect();
        f.write_str(&parts.join(", "))
    }
}
