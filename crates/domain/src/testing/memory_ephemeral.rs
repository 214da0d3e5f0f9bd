//! The ephemeral store of the domain's own tests: maps and a clock turned by
//! hand. It can be made to fail.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;

use super::HandClock;
use crate::ports::{
    Budget, Clock as _, Comparison, EphemeralError, EphemeralStore, Exchange, Secret, Spending,
};

/// Keeps everything, for as long as the clock says.
pub struct MemoryEphemeral {
    clock: Arc<HandClock>,
    state: Mutex<State>,
    broken: AtomicBool,
    values_fail: AtomicBool,
}

#[derive(Default)]
struct State {
    values: HashMap<String, Value>,
    /// The key of the latest secret of each series.
    series: HashMap<String, String>,
    budgets: HashMap<String, Charges>,
}

struct Value {
    value: Vec<u8>,
    guarded: Option<Guarded>,
    expires_at: Duration,
}

/// What a value with a secret has besides.
struct Guarded {
    secret: Vec<u8>,
    series: String,
    tries: u32,
}

#[derive(Clone, Copy)]
struct Charges {
    count: u32,
    expires_at: Duration,
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
        let now = self.clock.monotonic();
        let mut state = self.state.lock().expect("no test panics while it works");
        state.values.retain(|_, value| value.expires_at > now);
        state.budgets.retain(|_, charges| charges.expires_at > now);
        Ok((state, now))
    }
}

impl State {
    fn put(&mut self, key: &str, value: &[u8], guarded: Option<Guarded>, expires_at: Duration) {
        let value = Value {
            value: value.to_vec(),
            guarded,
            expires_at,
        };
        self.values.insert(key.into(), value);
    }

    /// The key of the latest secret of a series, if that is where it was left.
    fn latest(&self, series: &str) -> Option<&str> {
        let key = self.series.get(series)?;
        let guarded = self.values.get(key)?.guarded.as_ref()?;
        (guarded.series == series).then_some(key)
    }

    /// The budgets as they would be with one more charge each; or which of them
    /// is used up, and for how long.
    fn charged(
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
        series: &str,
        key: &str,
        secret: Secret<'_>,
        ttl: Duration,
    ) -> Result<(), EphemeralError> {
        if self.values_fail.load(Ordering::Relaxed) {
            return Err(EphemeralError("the room of values is full".into()));
        }
        let (mut state, now) = self.live()?;
        if let Some(earlier) = state.latest(series).map(str::to_owned) {
            state.values.remove(&earlier);
        }
        let guarded = Guarded {
            secret: secret.secret.to_vec(),
            series: series.into(),
            tries: 0,
        };
        state.put(key, secret.value, Some(guarded), now + ttl);
        state.series.insert(series.into(), key.into());
        Ok(())
    }

    async fn latest(&self, series: &str) -> Result<Option<Vec<u8>>, EphemeralError> {
        let (state, _) = self.live()?;
        let latest = state.latest(series).and_then(|key| state.values.get(key));
        Ok(latest.map(|kept| kept.value.clone()))
    }

    async fn compare(
        &self,
        key: &str,
        guess: &[u8],
        tries: u32,
        budget: &Budget,
        exchange: Option<Exchange<'_>>,
    ) -> Result<Comparison, EphemeralError> {
        let (mut state, now) = self.live()?;
        let charged = state.charged(std::slice::from_ref(budget), now);
        let kept = state.values.get_mut(key);
        let Some(guarded) = kept.and_then(|kept| kept.guarded.as_mut()) else {
            return Ok(Comparison::Absent);
        };
        if guarded.tries >= tries {
            state.values.remove(key);
            return Ok(Comparison::Absent);
        }
        let charged = match charged {
            Ok(charged) => charged,
            Err((_, retry_after)) => return Ok(Comparison::Exhausted { retry_after }),
        };
        if guarded.secret == guess {
            state.values.remove(key);
            if let Some(Exchange { key, value, ttl }) = exchange {
                state.put(key, value, None, now + ttl);
            }
            return Ok(Comparison::Matches);
        }
        guarded.tries += 1;
        let remaining = tries - guarded.tries;
        if remaining == 0 {
            state.values.remove(key);
        }
        state.budgets.extend(charged);
        Ok(Comparison::Differs { remaining })
    }

    async fn tries(&self, key: &str) -> Result<u32, EphemeralError> {
        let (state, _) = self.live()?;
        let guarded = state.values.get(key).and_then(|kept| kept.guarded.as_ref());
        Ok(guarded.map_or(0, |guarded| guarded.tries))
    }

    async fn spend(&self, budgets: &[Budget]) -> Result<Spending, EphemeralError> {
        let (mut state, now) = self.live()?;
        match state.charged(budgets, now) {
            Ok(charged) => {
                state.budgets.extend(charged);
                Ok(Spending::Spent)
            }
            Err((index, retry_after)) => Ok(Spending::Refused { index, retry_after }),
        }
    }

    async fn refund(&self, budgets: &[Budget]) -> Result<(), EphemeralError> {
        let (mut state, _) = self.live()?;
        for budget in budgets {
            if let Some(charges) = state.budgets.get_mut(&budget.name) {
                charges.count = charges.count.saturating_sub(1);
            }
        }
        Ok(())
    }

    async fn ping(&self) -> Result<(), EphemeralError> {
        self.live().map(drop)
    }
}
