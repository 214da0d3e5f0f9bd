//! The ephemeral store of a single server, in its memory. A restart empties it.

mod budgets;
mod counters;
mod room;
mod values;

use std::slice;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use countersign_domain::ports::{
    Budget, Clock, Comparison, EphemeralError, EphemeralStore, Exchange, Guard, GuardedSpending,
    Guess, Secret, Spending,
};

use budgets::Budgets;
use counters::Counters;
use values::Values;

/// Keeps a bounded number of values and of budgets in memory.
///
/// Nothing live is dropped to make room: a budget that is dropped is a limit
/// that is lifted. When the room of values is full, new ones are errors; when
/// that of budgets is full, names not charged yet are refused. Counters alone are
/// dropped: without one, limits are smaller.
pub struct InProcess {
    clock: Arc<dyn Clock>,
    kept: Mutex<Kept>,
}

/// How much is kept at most, or at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Values, of some 400 bytes each and what they hold.
    pub values: usize,
    /// Budgets, of some 200 bytes each.
    pub budgets: usize,
    /// Counters, of some 400 bytes each.
    pub counters: usize,
}

struct Kept {
    values: Values,
    budgets: Budgets,
    counters: Counters,
}

impl InProcess {
    /// An empty store.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, bounds: Bounds) -> Self {
        Self {
            clock,
            kept: Mutex::new(Kept {
                values: Values::new(bounds.values),
                budgets: Budgets::new(bounds.budgets),
                counters: Counters::new(bounds.counters),
            }),
        }
    }

    /// How much is kept, what has expired and was not removed yet included.
    #[must_use]
    pub fn size(&self) -> Bounds {
        let (kept, _) = self.lock();
        Bounds {
            values: kept.values.len(),
            budgets: kept.budgets.len(),
            counters: kept.counters.len(),
        }
    }

    /// What is kept, and the time.
    fn lock(&self) -> (MutexGuard<'_, Kept>, Duration) {
        let kept = self.kept.lock().expect("nothing panics while it holds it");
        (kept, self.clock.monotonic())
    }

    /// What is kept, some expired values removed, and the time.
    fn lock_for_values(&self) -> (MutexGuard<'_, Kept>, Duration) {
        let (mut kept, now) = self.lock();
        kept.values.sweep(now);
        (kept, now)
    }
}

impl Kept {
    /// What is said of budgets under a guard, and which are to be charged.
    fn choose(
        &mut self,
        budgets: &[Budget],
        guard: &Guard,
        now: Duration,
    ) -> (GuardedSpending, Vec<Budget>) {
        let counters = &self.counters;
        guard.choose(
            budgets,
            |learnt| counters.best(learnt, now),
            |budgets| self.budgets.look(budgets, now),
        )
    }
}

#[async_trait]
impl EphemeralStore for InProcess {
    async fn put(&self, key: &str, value: &[u8], ttl: Duration) -> Result<(), EphemeralError> {
        let (mut kept, now) = self.lock_for_values();
        kept.values.put(key, value, now.saturating_add(ttl))
    }

    async fn put_if_absent(
        &self,
        key: &str,
        value: &[u8],
        ttl: Duration,
    ) -> Result<bool, EphemeralError> {
        let (mut kept, now) = self.lock_for_values();
        if kept.values.get(key, now).is_some() {
            return Ok(false);
        }
        kept.values.put(key, value, now.saturating_add(ttl))?;
        Ok(true)
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, EphemeralError> {
        let (kept, now) = self.lock();
        let value = kept.values.get(key, now);
        Ok(value.map(|value| value.bytes.to_vec()))
    }

    async fn take(&self, key: &str) -> Result<Option<Vec<u8>>, EphemeralError> {
        let (mut kept, now) = self.lock_for_values();
        let taken = kept.values.take(key, now);
        Ok(taken.map(|value| value.bytes.into_vec()))
    }

    async fn supersede(
        &self,
        budgets: &[Budget],
        series: &str,
        key: &str,
        secret: Secret<'_>,
        ttl: Duration,
    ) -> Result<Spending, EphemeralError> {
        let (mut kept, now) = self.lock_for_values();
        let spending = kept.budgets.look(budgets, now);
        if spending == Spending::Spent {
            // What has no room is not charged.
            let expires_at = now.saturating_add(ttl);
            kept.values.supersede(series, key, secret, expires_at)?;
            kept.budgets.charge(budgets, now);
        }
        Ok(spending)
    }

    async fn supersede_guarded(
        &self,
        budgets: &[Budget],
        guard: &Guard,
        series: &str,
        key: &str,
        secret: Secret<'_>,
        ttl: Duration,
    ) -> Result<GuardedSpending, EphemeralError> {
        let (mut kept, now) = self.lock_for_values();
        let (spending, charged) = kept.choose(budgets, guard, now);
        let alternative = match spending {
            GuardedSpending::Spent(alternative) => Some(alternative),
            GuardedSpending::Guarded { .. } if guard.records_only => None,
            _ => return Ok(spending),
        };
        let reward = guard.reward(alternative);
        let secret = Secret {
            reward: Some(&reward),
            ..secret
        };
        // What has no room is not charged.
        let expires_at = now.saturating_add(ttl);
        kept.values.supersede(series, key, secret, expires_at)?;
        kept.budgets.charge(&charged, now);
        Ok(spending)
    }

    async fn latest(&self, series: &str) -> Result<Option<Vec<u8>>, EphemeralError> {
        let (kept, now) = self.lock();
        let latest = kept.values.latest(series, now);
        Ok(latest.map(|value| value.bytes.to_vec()))
    }

    async fn compare(
        &self,
        key: &str,
        guess: Guess<'_>,
        exchange: Option<Exchange<'_>>,
    ) -> Result<Comparison, EphemeralError> {
        let (mut kept, now) = self.lock_for_values();
        let Kept {
            values,
            budgets,
            counters,
        } = &mut *kept;
        let Some(guarded) = values.guarded_mut(key, now) else {
            return Ok(Comparison::Absent);
        };
        if guess.at >= guarded.expires_at {
            return Ok(Comparison::Absent);
        }
        if guarded.tries >= guess.tries {
            values.take(key, now);
            return Ok(Comparison::Absent);
        }
        let budget = guarded.budget(&guess);
        let budget = slice::from_ref(&budget);
        if let Spending::Refused { retry_after, .. } = budgets.look(budget, now) {
            return Ok(Comparison::Exhausted { retry_after });
        }
        if guarded.equals(guess.secret) {
            let mut taken = values.take(key, now);
            let guarded = taken.as_mut().and_then(|taken| taken.guarded.as_mut());
            if let Some(reward) = guarded.and_then(|guarded| guarded.reward.take()) {
                for name in &reward.refunds {
                    budgets.give_back(name, now);
                }
                for raise in &reward.raises {
                    counters.raise(raise, now);
                }
            }
            if let (Some(taken), Some(Exchange { key, head, ttl })) = (taken, exchange) {
                // It has the room of the secret.
                let value = [head, &taken.bytes].concat();
                values.put(key, &value, now.saturating_add(ttl))?;
            }
            return Ok(Comparison::Matches);
        }
        budgets.charge(budget, now);
        guarded.tries += 1;
        let remaining = guess.tries - guarded.tries;
        if remaining == 0 {
            values.take(key, now);
        }
        Ok(Comparison::Differs { remaining })
    }

    async fn tries(&self, key: &str) -> Result<u32, EphemeralError> {
        let (kept, now) = self.lock();
        let value = kept.values.get(key, now);
        let guarded = value.and_then(|value| value.guarded.as_ref());
        Ok(guarded.map_or(0, |guarded| guarded.tries))
    }

    async fn spend(&self, budgets: &[Budget]) -> Result<Spending, EphemeralError> {
        let (mut kept, now) = self.lock();
        let spending = kept.budgets.look(budgets, now);
        if spending == Spending::Spent {
            kept.budgets.charge(budgets, now);
        }
        Ok(spending)
    }

    async fn spend_guarded(
        &self,
        budgets: &[Budget],
        guard: &Guard,
    ) -> Result<GuardedSpending, EphemeralError> {
        let (mut kept, now) = self.lock();
        let (spending, charged) = kept.choose(budgets, guard, now);
        kept.budgets.charge(&charged, now);
        Ok(spending)
    }

    async fn refund(&self, budgets: &[Budget]) -> Result<(), EphemeralError> {
        let (mut kept, now) = self.lock();
        kept.budgets.refund(budgets, now);
        Ok(())
    }

    async fn ping(&self) -> Result<(), EphemeralError> {
        Ok(())
    }
}
