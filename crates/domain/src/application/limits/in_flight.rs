//! Charges of attempts whose outcome is open: a budget that is used up by them may
//! have something left in a moment.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::ports::Budget;

/// How long to wait for an outcome that is open.
const SOON: Duration = Duration::from_secs(1);

/// How many attempts of this process are open, by the names of budgets.
#[derive(Debug, Default)]
pub(super) struct InFlight(Mutex<HashMap<String, u32>>);

/// An attempt that is open as long as this is there.
#[derive(Debug)]
pub(super) struct OpenAttempt {
    in_flight: Arc<InFlight>,
    names: Vec<String>,
}

impl InFlight {
    /// Notes that an attempt was charged to these budgets.
    pub(super) fn open(self: &Arc<Self>, budgets: &[Budget]) -> OpenAttempt {
        let names: Vec<_> = budgets.iter().map(|budget| budget.name.clone()).collect();
        let mut open = self.lock();
        for name in &names {
            *open.entry(name.clone()).or_default() += 1;
        }
        OpenAttempt {
            in_flight: Arc::clone(self),
            names,
        }
    }

    /// When to try again where a budget has nothing left until `window_ends`.
    pub(super) fn retry_after(&self, budget: &Budget, window_ends: Duration) -> Duration {
        match self.lock().contains_key(&budget.name) {
            true => window_ends.min(SOON),
            false => window_ends,
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OpenAttempt {
    fn drop(&mut self) {
        let mut open = self.in_flight.lock();
        for name in &self.names {
            if let Some(count) = open.get_mut(name) {
                *count -= 1;
                if *count == 0 {
                    open.remove(name);
                }
            }
        }
    }
}
