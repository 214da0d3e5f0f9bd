//! What is kept, as it is at one moment.

use std::collections::HashMap;
use std::time::Duration;

use crate::model::Timestamp;
use crate::ports::{Budget, Guard, GuardedSpending, Learnt, Reward, Secret, Spending};

#[derive(Default)]
pub(super) struct State {
    pub(super) values: HashMap<String, Value>,
    /// The key of the latest secret of each series.
    pub(super) series: HashMap<String, String>,
    pub(super) budgets: HashMap<String, Charges>,
    /// The slots of each counter.
    pub(super) counters: HashMap<String, Counter>,
}

pub(super) struct Counter {
    pub(super) slots: HashMap<i64, u32>,
    pub(super) expires_at: Duration,
}

pub(super) struct Value {
    pub(super) value: Vec<u8>,
    pub(super) guarded: Option<Guarded>,
    pub(super) expires_at: Duration,
}

/// What a value with a secret has besides.
pub(super) struct Guarded {
    pub(super) secret: Vec<u8>,
    pub(super) budget: String,
    pub(super) expires_at: Timestamp,
    pub(super) series: String,
    pub(super) tries: u32,
    pub(super) reward: Option<Reward>,
}

#[derive(Clone, Copy)]
pub(super) struct Charges {
    pub(super) count: u32,
    pub(super) expires_at: Duration,
}

impl State {
    pub(super) fn put(
        &mut self,
        key: &str,
        value: &[u8],
        guarded: Option<Guarded>,
        expires_at: Duration,
    ) {
        let value = Value {
            value: value.to_vec(),
            guarded,
            expires_at,
        };
        self.values.insert(key.into(), value);
    }

    /// The key of the latest secret of a series, if that is where it was left.
    pub(super) fn latest(&self, series: &str) -> Option<&str> {
        let key = self.series.get(series)?;
        let guarded = self.values.get(key)?.guarded.as_ref()?;
        (guarded.series == series).then_some(key)
    }

    /// Counts a wrong guess, and tells how many are left. The last one takes the
    /// secret.
    pub(super) fn count_try(&mut self, key: &str, tries: u32) -> u32 {
        let kept = self.values.get_mut(key);
        let Some(guarded) = kept.and_then(|kept| kept.guarded.as_mut()) else {
            return 0;
        };
        guarded.tries += 1;
        let remaining = tries - guarded.tries;
        if remaining == 0 {
            self.values.remove(key);
        }
        remaining
    }

    pub(super) fn spend(&mut self, budgets: &[Budget], now: Duration) -> Spending {
        match self.charged(budgets, now) {
            Ok(charged) => {
                self.budgets.extend(charged);
                Spending::Spent
            }
            Err((index, retry_after)) => Spending::Refused { index, retry_after },
        }
    }

    pub(super) fn spend_guarded(
        &mut self,
        budgets: &[Budget],
        guard: &Guard,
        now: Duration,
    ) -> GuardedSpending {
        let best = |learnt: &Learnt| self.best(learnt);
        let look = |budgets: &[Budget]| match self.charged(budgets, now) {
            Ok(_) => Spending::Spent,
            Err((index, retry_after)) => Spending::Refused { index, retry_after },
        };
        let (spending, charged) = guard.choose(budgets, best, look);
        self.spend(&charged, now);
        spending
    }

    pub(super) fn best(&self, learnt: &Learnt) -> u32 {
        let counter = self.counters.get(&learnt.counter);
        let counts = learnt
            .counted()
            .filter_map(|slot| counter?.slots.get(&slot).copied());
        counts.max().unwrap_or_default()
    }

    pub(super) fn supersede(
        &mut self,
        series: &str,
        key: &str,
        secret: Secret<'_>,
        expires_at: Duration,
    ) {
        if let Some(earlier) = self.latest(series).map(str::to_owned) {
            self.values.remove(&earlier);
        }
        let guarded = Guarded {
            secret: secret.secret.to_vec(),
            budget: secret.budget.into(),
            expires_at: secret.expires_at,
            series: series.into(),
            tries: 0,
            reward: secret.reward.cloned(),
        };
        self.put(key, secret.value, Some(guarded), expires_at);
        self.series.insert(series.into(), key.into());
    }

    pub(super) fn give(&mut self, reward: &Reward, now: Duration) {
        for name in &reward.refunds {
            self.refund(name);
        }
        for raise in &reward.raises {
            let expires_at = now.saturating_add(raise.ttl);
            let opened = || Counter {
                slots: HashMap::new(),
                expires_at,
            };
            let counters = &mut self.counters;
            let counter = counters.entry(raise.counter.clone()).or_insert_with(opened);
            counter.expires_at = expires_at;
            *counter.slots.entry(raise.slot).or_default() += 1;
            while counter.slots.len() > Learnt::KEPT_SLOTS {
                let slots = counter.slots.keys().copied();
                let furthest = slots.max_by_key(|slot| raise.slot.abs_diff(*slot));
                counter.slots.remove(&furthest.unwrap_or_default());
            }
        }
    }

    pub(super) fn refund(&mut self, name: &str) {
        if let Some(charges) = self.budgets.get_mut(name) {
            charges.count = charges.count.saturating_sub(1);
        }
    }

    /// The budgets as they would be with one more charge each; or which of them
    /// is used up, and for how long.
    pub(super) fn charged(
        &self,
        budgets: &[Budget],
        now: Duration,
    ) -> Result<HashMap<String, Charges>, (usize, Duration)> {
        let mut charged = HashMap::new();
        for (index, budget) in budgets.iter().enumerate() {
            let opened = Charges {
                count: 0,
                expires_at: now.saturating_add(budget.window),
            };
            let kept = self.budgets.get(&budget.name).copied();
            let charges = charged
                .entry(budget.name.clone())
                .or_insert_with(|| kept.unwrap_or(opened));
            if charges.count >= budget.limit {
                return Err((index, charges.expires_at - now));
            }
            charges.count += 1;
        }
        Ok(charged)
    }
}
