//! Budgets of what is not verified yet: charged beside others, given back by
//! the right guess, and with limits that grow with what was verified.

use std::time::Duration;

use super::{Budget, Spending};

/// Budgets that are charged beside others, or none of them is. They belong to
/// a slot of time by their names, so that what is given back late meets the slot
/// that was charged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guard {
    /// Charged in any case.
    pub always: Vec<LearntBudget>,
    /// Charged besides, in place of `shared`, if there are any and each of them
    /// has something left.
    pub own: Vec<LearntBudget>,
    /// Charged besides where `own` is not.
    pub shared: Vec<LearntBudget>,
    /// What the right guess raises.
    pub raises: Vec<Raise>,
    /// Whether the others are charged though one of these has nothing left.
    pub records_only: bool,
}

/// A budget whose limit is at least its own, and grows with a counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LearntBudget {
    /// The budget, with the least limit.
    pub budget: Budget,
    /// The counter that it grows with.
    pub learnt: Learnt,
}

/// A share of the best slot of a counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Learnt {
    /// The name of the counter.
    pub counter: String,
    /// The slot that it is now.
    pub slot: i64,
    /// How many slots before it count, too: at most [`Self::MAX_SLOTS`].
    pub slots: u8,
    /// The share, in thousandths.
    pub permille: u32,
}

/// One more in a slot of a counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raise {
    /// The name of the counter.
    pub counter: String,
    /// Which slot of it.
    pub slot: i64,
    /// How long the counter is kept from now on.
    pub ttl: Duration,
}

/// What the right guess at a secret does besides, in the same step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reward {
    /// The names of budgets to which one is given back.
    pub refunds: Vec<String>,
    /// Counters that are raised.
    pub raises: Vec<Raise>,
}

/// What [`spend_guarded`](super::EphemeralStore::spend_guarded) and
/// [`supersede_guarded`](super::EphemeralStore::supersede_guarded) say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuardedSpending {
    /// All is charged.
    Spent(Alternative),
    /// One of the other budgets is used up, or has no room. None is charged.
    Refused {
        /// Its position.
        index: usize,
        /// When to try again.
        retry_after: Duration,
    },
    /// One of the guard's budgets is used up, or has no room. None of them is
    /// charged, and of the others all if the guard records only, else none.
    Guarded {
        /// Its position in `always` and `shared`, one after the other.
        index: usize,
    },
}

/// Which budgets of a guard are charged besides those that always are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alternative {
    /// `own`.
    Own,
    /// `shared`.
    Shared,
}

impl Learnt {
    /// As many slots of a counter as may count before the present one.
    pub const MAX_SLOTS: u8 = 15;
    /// A counter keeps so many slots; where one more is raised, that which is
    /// furthest from it goes. So one odd reading of a clock wipes nothing: twice
    /// as many slots are kept as may count.
    pub const KEPT_SLOTS: usize = 32;

    /// The slots that count.
    pub fn counted(&self) -> impl Iterator<Item = i64> + use<> {
        self.slot.saturating_sub(self.slots.into())..=self.slot
    }

    /// The limit of a budget that is at least `least`, where so many are in the
    /// best slot.
    #[must_use]
    pub fn limit(&self, least: u32, best: u32) -> u32 {
        let share = u64::from(best) * u64::from(self.permille) / 1_000;
        least.max(u32::try_from(share).unwrap_or(u32::MAX))
    }
}

impl Guard {
    /// The budgets that were charged.
    #[must_use]
    pub fn charged(&self, alternative: Alternative) -> Vec<Budget> {
        let besides = match alternative {
            Alternative::Own => &self.own,
            Alternative::Shared => &self.shared,
        };
        let charged = self.always.iter().chain(besides);
        charged.map(|learnt| learnt.budget.clone()).collect()
    }

    /// What the right guess does where these were charged; `None`: none was.
    #[must_use]
    pub fn reward(&self, charged: Option<Alternative>) -> Reward {
        let charged = charged.map(|alternative| self.charged(alternative));
        let names = charged.into_iter().flatten().map(|budget| budget.name);
        Reward {
            refunds: names.collect(),
            raises: self.raises.clone(),
        }
    }

    /// What a store that does one thing at a time answers, and the budgets that
    /// it then charges: `best` tells the best of the slots that count, `look`
    /// whether budgets can be charged.
    pub fn choose(
        &self,
        budgets: &[Budget],
        best: impl Fn(&Learnt) -> u32,
        mut look: impl FnMut(&[Budget]) -> Spending,
    ) -> (GuardedSpending, Vec<Budget>) {
        let with_limits = |learnt: &[LearntBudget]| -> Vec<Budget> {
            let budgets = learnt.iter().map(|LearntBudget { budget, learnt }| Budget {
                limit: learnt.limit(budget.limit, best(learnt)),
                ..budget.clone()
            });
            budgets.collect()
        };
        if let Spending::Refused { index, retry_after } = look(budgets) {
            return (GuardedSpending::Refused { index, retry_after }, Vec::new());
        }
        let mut always = budgets.to_vec();
        always.extend(with_limits(&self.always));
        let mut refusal = look(&always);
        if refusal == Spending::Spent {
            let alternatives = [
                (Alternative::Own, self.own.as_slice()),
                (Alternative::Shared, self.shared.as_slice()),
            ];
            let is_there = |alternative| alternative == Alternative::Shared || !self.own.is_empty();
            for (alternative, besides) in alternatives {
                if !is_there(alternative) {
                    continue;
                }
                let mut all = always.clone();
                all.extend(with_limits(besides));
                refusal = look(&all);
                if refusal == Spending::Spent {
                    return (GuardedSpending::Spent(alternative), all);
                }
            }
        }
        let index = match refusal {
            Spending::Refused { index, .. } => index.saturating_sub(budgets.len()),
            Spending::Spent => 0,
        };
        let charged = if self.records_only { budgets } else { &[] };
        (GuardedSpending::Guarded { index }, charged.to_vec())
    }
}

impl From<Spending> for GuardedSpending {
    /// What is said of a guard over nothing.
    fn from(spending: Spending) -> Self {
        match spending {
            Spending::Spent => Self::Spent(Alternative::Shared),
            Spending::Refused { index, retry_after } => Self::Refused { index, retry_after },
        }
    }
}
