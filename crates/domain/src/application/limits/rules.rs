//! The rules on messages that nobody has verified yet, and how often each has
//! refused.

use std::sync::atomic::{AtomicU64, Ordering};

/// A rule on messages that nobody has verified yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// So many from one source in a day.
    Source,
    /// So many from one network in a day, of sources that have verified nothing.
    Network,
    /// So many to neighbouring numbers in a day.
    Neighbourhood,
    /// So many to one country in an hour.
    CountryHour,
    /// So many to one country in a day.
    CountryDay,
    /// So many to all countries but the one at home in a day.
    Abroad,
    /// So many from a source that has verified some, abroad to the same country.
    Own,
}

/// How many messages that nobody had verified yet were charged and refused, by
/// this process.
#[derive(Debug, Default)]
pub struct UnverifiedCounts {
    charged: [AtomicU64; Pool::ALL.len()],
    refused: [AtomicU64; Rule::REFUSING.len()],
    recorded: [AtomicU64; Rule::REFUSING.len()],
}

/// The budgets that a message was charged to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pool {
    /// Those that all share at home.
    Home,
    /// Those that all share of another country.
    Abroad,
    /// That of a source of its own.
    Own,
}

impl Rule {
    /// Those that refuse. Where its own budget is used up, a source has the
    /// shared ones.
    pub const REFUSING: [Self; 6] = [
        Self::Source,
        Self::Network,
        Self::Neighbourhood,
        Self::CountryHour,
        Self::CountryDay,
        Self::Abroad,
    ];

    /// The name of the rule.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Network => "network",
            Self::Neighbourhood => "neighbourhood",
            Self::CountryHour => "country_hour",
            Self::CountryDay => "country_day",
            Self::Abroad => "abroad",
            Self::Own => "own",
        }
    }
}

impl Pool {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Home, Self::Abroad, Self::Own];

    /// Their name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::Abroad => "abroad",
            Self::Own => "own",
        }
    }
}

impl UnverifiedCounts {
    /// Messages that were charged, by which budgets.
    pub fn charged(&self) -> impl Iterator<Item = (Pool, u64)> {
        Pool::ALL.into_iter().zip(read(&self.charged))
    }

    /// Messages that were refused, by rule.
    pub fn refused(&self) -> impl Iterator<Item = (Rule, u64)> {
        Rule::REFUSING.into_iter().zip(read(&self.refused))
    }

    /// Messages that were sent although a rule would have refused them.
    pub fn recorded(&self) -> impl Iterator<Item = (Rule, u64)> {
        Rule::REFUSING.into_iter().zip(read(&self.recorded))
    }

    pub(super) fn charge(&self, pool: Pool) {
        self.charged[pool as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn refuse(&self, rule: Rule, records_only: bool) {
        let counts = match records_only {
            true => &self.recorded,
            false => &self.refused,
        };
        if let Some(count) = counts.get(rule as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn read(counts: &[AtomicU64]) -> impl Iterator<Item = u64> {
    counts.iter().map(|count| count.load(Ordering::Relaxed))
}
