//! Budgets that begin with their first charge and end with their time.

use std::time::Duration;

use crate::model::Timestamp;

/// So many charges in so long a time, for each of some pairs.
#[derive(Debug, Clone)]
pub(super) struct Budgets(Vec<Budget>);

#[derive(Debug, Clone, Copy)]
struct Budget {
    limit: u32,
    window: Duration,
    charged: u32,
    ends_at: Timestamp,
}

impl Budgets {
    pub(super) fn new(limits: &[(u32, Duration)]) -> Self {
        let budget = |&(limit, window): &(u32, Duration)| Budget {
            limit,
            window,
            charged: 0,
            ends_at: Timestamp::from_millis(0),
        };
        Self(limits.iter().map(budget).collect())
    }

    /// Charges all, or none if one of them is used up.
    pub(super) fn charge(&mut self, now: Timestamp) -> bool {
        for budget in &mut self.0 {
            if now >= budget.ends_at {
                budget.charged = 0;
            }
        }
        let has_room = self.0.iter().all(|budget| budget.charged < budget.limit);
        for budget in self.0.iter_mut().filter(|_| has_room) {
            // What was given back in full goes on as it began.
            if now >= budget.ends_at {
                budget.ends_at = now.plus(budget.window);
            }
            budget.charged += 1;
        }
        has_room
    }

    pub(super) fn give_back(&mut self) {
        for budget in &mut self.0 {
            budget.charged = budget.charged.saturating_sub(1);
        }
    }
}
