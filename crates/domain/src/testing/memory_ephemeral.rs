//! The ephemeral store of the domain's own tests: maps and a clock turned by
//! hand. It can be made to fail.

mod state;

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;

use self::state::State;
use super::HandClock;
use crate::ports::{
    Budget, Clock as _, Comparison, EphemeralError, EphemeralStore, Exchange, Guard,
    GuardedSpending, Guess, Secret, Spending,
};

/// Keeps everything, for as long as the clock says.
pub struct MemoryEphemeral {
    clock: Arc<HandClock>,
    state: Mutex<State>,
    broken: AtomicBool,
    values_fail: AtomicBool,
    calls: AtomicU32,
}

impl MemoryEphemeral {
    /// An empty store.
    #[must_use]
    pub fn new(clock: Arc<HandClock>) -> Self {
        Self {
            clock,
            state: Mutex::default(),
            broken: AtomicBool::new(false),
            values_fail: AtomicBool::new(false),
            calls: AtomicU32::new(0),
        }
    }

    /// From now on every verb fails, or none does.
    pub fn set_broken(&self, broken: bool) {
        self.broken.store(broken, Ordering::Relaxed);
    }

    /// From now on values cannot be kept, or can be again; budgets can.
    pub fn fail_values(&self, fail: bool) {
        self.values_fail.store(fail, Ordering::Relaxed);
    }

    /// How many verbs were called since this was asked last.
    pub fn take_calls(&self) -> u32 {
        self.calls.swap(0, Ordering::Relaxed)
    }

    /// How many budgets are kept.
    ///
    /// # Panics
    /// If another thread panicked while it used the store.
    pub fn budgets(&self) -> usize {
        let state = self.state.lock().expect("no test panics while it works");
        state.budgets.len()
    }

    /// What has not expired, and the time.
    fn live(&self) -> Result<(MutexGuard<'_, State>, Duration), EphemeralError> {
        if self.broken.load(Ordering::Relaxed) {
            return Err(EphemeralError("the store is broken".into()));
        }
        self.calls.fetch_add(1, Ordering::Relaxed);
        let now = self.clock.monotonic();
        let mut state = self.state.lock().expect("no test panics while it works");
        state.values.retain(|_, value| value.expires_at > now);
        state.budgets.retain(|_, charges| charges.expires_at > now);
        state.counters.retain(|_, counter| counter.expires_at > now);
        Ok((state, now))
    }
}

#[async_trait]
impl EphemeralStore for MemoryEphemeral {
    async fn put(&self, key: &str, value: &[u8], ttl: Duration) -> Result<(), EphemeralError> {
        let (mut state, now) = self.live()?;
        state.put(key, value, None, now + ttl);
        Ok(())
    }

    async fn put_if_absent(
        &self,
        key: &str,
        value: &[u8],
        ttl: Duration,
    ) -> Result<bool, EphemeralError> {
        let (mut state, now) = self.live()?;
        if state.values.contains_key(key) {
            return Ok(false);
        }
        state.put(key, value, None, now + ttl);
        Ok(true)
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, EphemeralError> {
        let (state, _) = self.live()?;
        Ok(state.values.get(key).map(|kept| kept.value.clone()))
    }

    async fn take(&self, key: &str) -> Result<Option<Vec<u8>>, EphemeralError> {
        let (mut state, _) = self.live()?;
        Ok(state.values.remove(key).map(|kept| kept.value))
    }

    async fn supersede(
        &self,
        budgets: &[Budget],
        series: &str,
        key: &str,
        secret: Secret<'_>,
        ttl: Duration,
    ) -> Result<Spending, EphemeralError> {
        if self.values_fail.load(Ordering::Relaxed) {
            return Err(EphemeralError("the room of values is full".into()));
        }
        let (mut state, now) = self.live()?;
        let spending = state.spend(budgets, now);
        if spending == Spending::Spent {
            state.supersede(series, key, secret, now + ttl);
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
        if self.values_fail.load(Ordering::Relaxed) {
            return Err(EphemeralError("the room of values is full".into()));
        }
        let (mut state, now) = self.live()?;
        let spending = state.spend_guarded(budgets, guard, now);
        let charged = match spending {
            GuardedSpending::Spent(alternative) => Some(alternative),
            GuardedSpending::Guarded { .. } if guard.records_only => None,
            _ => return Ok(spending),
        };
        let reward = guard.reward(charged);
        let secret = Secret {
            reward: Some(&reward),
            ..secret
        };
        state.supersede(series, key, secret, now + ttl);
        Ok(spending)
    }

    async fn latest(&self, series: &str) -> Result<Option<Vec<u8>>, EphemeralError> {
        let (state, _) = self.live()?;
        let latest = state.latest(series).and_then(|key| state.values.get(key));
        Ok(latest.map(|kept| kept.value.clone()))
    }

    async fn compare(
        &self,
        key: &str,
        guess: Guess<'_>,
        exchange: Option<Exchange<'_>>,
    ) -> Result<Comparison, EphemeralError> {
        let (mut state, now) = self.live()?;
        let kept = state.values.get(key);
        let Some(guarded) = kept.and_then(|kept| kept.guarded.as_ref()) else {
            return Ok(Comparison::Absent);
        };
        if guess.at >= guarded.expires_at {
            return Ok(Comparison::Absent);
        }
        if guarded.tries >= guess.tries {
            state.values.remove(key);
            return Ok(Comparison::Absent);
        }
        let budget = Budget {
            name: guarded.budget.clone(),
            limit: guess.limit,
            window: guess.window,
        };
        let is_right = guarded.secret == guess.secret;
        let charged = match state.charged(&[budget], now) {
            Ok(charged) => charged,
            Err((_, retry_after)) => return Ok(Comparison::Exhausted { retry_after }),
        };
        if is_right {
            let taken = state.values.remove(key).expect("it was compared with");
            let reward = taken.guarded.and_then(|guarded| guarded.reward);
            state.give(&reward.unwrap_or_default(), now);
            if let Some(Exchange { key, head, ttl }) = exchange {
                let value = [head, &taken.value].concat();
                state.put(key, &value, None, now + ttl);
            }
            return Ok(Comparison::Matches);
        }
        state.budgets.extend(charged);
        Ok(Comparison::Differs {
            remaining: state.count_try(key, guess.tries),
        })
    }

    async fn tries(&self, key: &str) -> Result<u32, EphemeralError> {
        let (state, _) = self.live()?;
        let guarded = state.values.get(key).and_then(|kept| kept.guarded.as_ref());
        Ok(guarded.map_or(0, |guarded| guarded.tries))
    }

    async fn spend(&self, budgets: &[Budget]) -> Result<Spending, EphemeralError> {
        let (mut state, now) = self.live()?;
        Ok(state.spend(budgets, now))
    }

    async fn spend_guarded(
        &self,
        budgets: &[Budget],
        guard: &Guard,
    ) -> Result<GuardedSpending, EphemeralError> {
        let (mut state, now) = self.live()?;
        Ok(state.spend_guarded(budgets, guard, now))
    }

    async fn refund(&self, budgets: &[Budget]) -> Result<(), EphemeralError> {
        let (mut state, _) = self.live()?;
        for budget in budgets {
            state.refund(&budget.name);
        }
        Ok(())
    }

    async fn ping(&self) -> Result<(), EphemeralError> {
        self.live().map(drop)
    }
}
