//! The room of budgets.

use std::time::Duration;

use countersign_domain::ports::{Budget, Spending};

use super::room::Room;

/// How many expired budgets are removed for each that may be added.
const SWEPT_PER_BUDGET: usize = 4;

/// What was charged to each budget.
pub(super) struct Budgets {
    room: Room<u32>,
}

impl Budgets {
    pub(super) fn new(max: usize) -> Self {
        Self {
            room: Room::new(max),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.room.len()
    }

    /// Looks whether one more can be charged to each of the budgets, a budget
    /// that is named twice having to bear two. Charges nothing.
    pub(super) fn look(&mut self, budgets: &[Budget], now: Duration) -> Spending {
        self.sweep(budgets.len(), now);
        let mut new_names = 0;
        for (index, budget) in budgets.iter().enumerate() {
            let refused_until = |end: Duration| Spending::Refused {
                index,
                retry_after: end.saturating_sub(now),
            };
            let mut same_name = budgets[..index].iter().filter(|b| b.name == budget.name);
            let first = same_name.next();
            let planned = first.map_or(0, |_| 1 + same_name.count());
            let kept = self.room.live(&budget.name, now);

            let charged = kept.map_or(0, |kept| kept.content);
            let charged = u32::try_from(planned)
                .ok()
                .and_then(|planned| charged.checked_add(planned));
            if charged.is_none_or(|charged| charged >= budget.limit) {
                let window = first.unwrap_or(budget).window;
                let end = kept.map_or(now.saturating_add(window), |kept| kept.expires_at);
                return refused_until(end);
            }
            if kept.is_none() && first.is_none() {
                new_names += 1;
                if !self.room.has_room_for(new_names) {
                    let end = self.room.next_expiry();
                    return refused_until(end.unwrap_or(now.saturating_add(budget.window)));
                }
            }
        }
        Spending::Spent
    }

    /// Charges one to each of the budgets, which [`look`](Self::look) has just
    /// allowed.
    pub(super) fn charge(&mut self, budgets: &[Budget], now: Duration) {
        for budget in budgets {
            match self.room.live_mut(&budget.name, now) {
                Some(charged) => *charged += 1,
                None => {
                    let end = now.saturating_add(budget.window);
                    self.room.insert(&budget.name, 1, end);
                }
            }
        }
    }

    /// Gives one back to each of the budgets, none below zero.
    pub(super) fn refund(&mut self, budgets: &[Budget], now: Duration) {
        for budget in budgets {
            self.give_back(&budget.name, now);
        }
    }

    /// Gives one back to a budget.
    pub(super) fn give_back(&mut self, name: &str, now: Duration) {
        if let Some(charged) = self.room.live_mut(name, now) {
            *charged = charged.saturating_sub(1);
        }
    }

    fn sweep(&mut self, budgets: usize, now: Duration) {
        for _ in 0..budgets.saturating_mul(SWEPT_PER_BUDGET) {
            if self.room.pop_expired(now).is_none() {
                return;
            }
        }
    }
}
