//! How often each RPC was answered how.

use std::collections::BTreeMap;
use std::fmt;

/// Counts by the name of the RPC and the word for its answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally(BTreeMap<(&'static str, &'static str), u64>);

impl Tally {
    /// Counts an answer.
    pub fn add(&mut self, rpc: &'static str, answer: &'static str) {
        *self.0.entry((rpc, answer)).or_default() += 1;
    }

    /// Adds the counts of another run.
    pub fn add_all(&mut self, other: &Self) {
        for (&key, count) in &other.0 {
            *self.0.entry(key).or_default() += count;
        }
    }

    /// How often an RPC was answered so.
    #[must_use]
    pub fn count(&self, rpc: &'static str, answer: &'static str) -> u64 {
        self.0.get(&(rpc, answer)).copied().unwrap_or_default()
    }

    /// What was asked, by the names of the calls.
    pub fn asked(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().map(|(rpc, _)| *rpc)
    }

    /// All answers.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = "";
        for ((rpc, answer), count) in &self.0 {
            if *rpc != last {
                write!(f, "\n  {rpc}:")?;
                last = rpc;
            }
            write!(f, " {count} {answer}")?;
        }
        Ok(())
    }
}
