//! Laws of guards: which budgets they charge, and that limits grow with
//! counters.

use std::time::Duration;

use super::subject::{EphemeralSubject, LONG, PAST_SHORT, SHORT, secret_under};
use crate::ports::{
    Alternative, Budget, Guard, GuardedSpending, Learnt, LearntBudget, Raise, Spending,
};

/// The slot that laws are in.
const NOW: i64 = 20_000;

/// A budget whose limit is what it is.
fn fixed(budget: &Budget) -> LearntBudget {
    LearntBudget {
        budget: budget.clone(),
        learnt: Learnt {
            counter: String::new(),
            slot: NOW,
            slots: 14,
            permille: 0,
        },
    }
}

impl EphemeralSubject {
    /// A budget that grows with a counter, by its slots of this many days.
    fn learnt(&self, name: &str, limit: u32, permille: u32) -> LearntBudget {
        LearntBudget {
            budget: self.budget(name, limit, LONG),
            learnt: Learnt {
                counter: self.key("counter"),
                slot: NOW,
                slots: 14,
                permille,
            },
        }
    }

    fn raise(&self, slot: i64, ttl: Duration) -> Raise {
        Raise {
            counter: self.key("counter"),
            slot,
            ttl,
        }
    }

    /// Raises the counter of a subject in a slot, so many times.
    async fn raise_times(&self, slot: i64, times: u32, ttl: Duration) {
        let guard = Guard {
            raises: vec![self.raise(slot, ttl)],
            ..Guard::default()
        };
        for _ in 0..times {
            let key = self.key("raising");
            self.supersede_guarded(&[], &guard, &key, "123").await;
            self.guess(&key, "123", &self.ample()).await;
        }
    }

    pub(super) async fn supersede_guarded(
        &self,
        budgets: &[&Budget],
        guard: &Guard,
        key: &str,
        secret: &str,
    ) -> GuardedSpending {
        let budgets: Vec<Budget> = budgets.iter().copied().cloned().collect();
        let (value, guesses) = (format!("of {secret}"), self.ample());
        let secret = secret_under(&guesses, &value, secret);
        let series = format!("{key} series");
        let kept = self
            .store
            .supersede_guarded(&budgets, guard, &series, key, secret, LONG);
        kept.await.expect("supersede_guarded")
    }

    async fn spend_guarded(&self, budgets: &[&Budget], guard: &Guard) -> GuardedSpending {
        let budgets: Vec<Budget> = budgets.iter().copied().cloned().collect();
        let spent = self.store.spend_guarded(&budgets, guard).await;
        spent.expect("spend_guarded")
    }

    /// How often a guard lets something be charged. It is charged.
    async fn use_up_guard(&self, guard: &Guard) -> u32 {
        let mut charges = 0;
        while matches!(
            self.spend_guarded(&[], guard).await,
            GuardedSpending::Spent(_)
        ) {
            charges += 1;
        }
        charges
    }
}

/// What is always charged and what is shared is charged beside the budgets.
pub async fn a_guard_is_charged_beside_the_budgets(subject: &EphemeralSubject) {
    let [plain, always, shared] =
        ["plain", "always", "shared"].map(|name| subject.budget(name, 4, LONG));
    let guard = Guard {
        always: vec![fixed(&always)],
        shared: vec![fixed(&shared)],
        ..Guard::default()
    };
    let all = GuardedSpending::Spent(Alternative::Shared);
    assert_eq!(subject.spend_guarded(&[&plain], &guard).await, all);
    let key = subject.key("guarded");
    let kept = subject
        .supersede_guarded(&[&plain], &guard, &key, "123")
        .await;
    assert_eq!(kept, all);
    assert_eq!(subject.got(&key).await.as_deref(), Some("of 123"));
    for budget in [&plain, &always, &shared] {
        assert_eq!(subject.use_up(budget).await, 2, "{}", budget.name);
    }
}

/// Wherever the used up budget of a guard stands, nothing is charged, no window
/// is opened, and no secret is kept.
pub async fn a_guard_that_refuses_charges_nothing(subject: &EphemeralSubject) {
    let full = subject.budget("full", 1, LONG);
    subject.spend(&[&full]).await;
    let [plain, always, shared] =
        ["plain", "always", "shared"].map(|name| subject.budget(name, 1, SHORT));
    for (always_is, shared_is, position) in [
        (vec![&full, &always], vec![&shared], 0),
        (vec![&always, &full], vec![&shared], 1),
        (vec![&always], vec![&full, &shared], 1),
        (vec![&always], vec![&shared, &full], 2),
    ] {
        let guard = Guard {
            always: always_is.into_iter().map(fixed).collect(),
            shared: shared_is.into_iter().map(fixed).collect(),
            ..Guard::default()
        };
        let refused = GuardedSpending::Guarded { index: position };
        assert_eq!(subject.spend_guarded(&[&plain], &guard).await, refused);
        let key = subject.key("refused");
        let kept = subject
            .supersede_guarded(&[&plain], &guard, &key, "123")
            .await;
        assert_eq!(kept, refused);
        assert_eq!(subject.got(&key).await, None);
    }
    for budget in [&plain, &always, &shared] {
        let long = Budget {
            window: LONG,
            ..budget.clone()
        };
        assert_eq!(subject.use_up(&long).await, 1, "{}", budget.name);
        subject.advance(PAST_SHORT).await;
        assert_eq!(subject.use_up(&long).await, 0, "{}", budget.name);
    }
}

/// A budget beside the guard that is used up is told as such.
pub async fn a_budget_beside_a_guard_refuses_first(subject: &EphemeralSubject) {
    let [full, guarded] = ["full", "guarded"].map(|name| subject.budget(name, 1, LONG));
    subject.spend(&[&full]).await;
    let guard = Guard {
        always: vec![fixed(&guarded)],
        shared: vec![fixed(&full)],
        records_only: true,
        ..Guard::default()
    };
    let free = subject.budget("free", 1, LONG);
    let key = subject.key("refused");
    for refused in [
        subject.spend_guarded(&[&free, &full], &guard).await,
        subject
            .supersede_guarded(&[&free, &full], &guard, &key, "123")
            .await,
    ] {
        assert!(
            matches!(refused, GuardedSpending::Refused { index: 1, retry_after }
                if retry_after > Duration::ZERO && retry_after <= LONG),
            "{refused:?}"
        );
    }
    assert_eq!(subject.got(&key).await, None);
    for budget in [&free, &guarded] {
        assert_eq!(subject.use_up(budget).await, 1, "{}", budget.name);
    }
}

/// A guard that records only lets the budgets beside it be charged, and a secret
/// be kept, and tells what it would have refused.
pub async fn a_guard_that_records_only_refuses_nothing(subject: &EphemeralSubject) {
    let full = subject.budget("full", 0, LONG);
    let [plain, always] = ["plain", "always"].map(|name| subject.budget(name, 3, LONG));
    let guard = Guard {
        always: vec![fixed(&always)],
        shared: vec![fixed(&full)],
        records_only: true,
        ..Guard::default()
    };
    let recorded = GuardedSpending::Guarded { index: 1 };
    assert_eq!(subject.spend_guarded(&[&plain], &guard).await, recorded);
    let key = subject.key("recorded");
    let kept = subject
        .supersede_guarded(&[&plain], &guard, &key, "123")
        .await;
    assert_eq!(kept, recorded);
    assert_eq!(subject.got(&key).await.as_deref(), Some("of 123"));
    subject.guess(&key, "123", &subject.ample()).await;
    assert_eq!(subject.use_up(&plain).await, 1);
    assert_eq!(subject.use_up(&always).await, 3);
}

/// Who has a budget of its own uses the shared ones once that is used up.
pub async fn a_budget_of_ones_own_is_charged_before_shared_ones(subject: &EphemeralSubject) {
    let [own, shared] = ["own", "shared"].map(|name| subject.budget(name, 2, LONG));
    let guard = Guard {
        own: vec![fixed(&own)],
        shared: vec![fixed(&shared)],
        ..Guard::default()
    };
    let mut spent = Vec::new();
    for _ in 0..5 {
        spent.push(subject.spend_guarded(&[], &guard).await);
    }
    let (own, shared) = (
        GuardedSpending::Spent(Alternative::Own),
        GuardedSpending::Spent(Alternative::Shared),
    );
    let refused = GuardedSpending::Guarded { index: 0 };
    assert_eq!(spent, [own, own, shared, shared, refused]);
}

/// Where one of several budgets of one's own is used up, none of them is charged,
/// and the shared ones are.
pub async fn budgets_of_ones_own_are_charged_together(subject: &EphemeralSubject) {
    let [first, second] =
        [("first", 3), ("second", 2)].map(|(name, limit)| subject.budget(name, limit, LONG));
    let shared = subject.budget("shared", 9, LONG);
    let guard = Guard {
        own: vec![fixed(&first), fixed(&second)],
        shared: vec![fixed(&shared)],
        ..Guard::default()
    };
    let key = subject.key("kept");
    let mut spent = Vec::new();
    for _ in 0..4 {
        spent.push(subject.supersede_guarded(&[], &guard, &key, "123").await);
    }
    let (own, common) = (
        GuardedSpending::Spent(Alternative::Own),
        GuardedSpending::Spent(Alternative::Shared),
    );
    assert_eq!(spent, [own, own, common, common]);
    assert_eq!(subject.use_up(&first).await, 1);
    assert_eq!(subject.use_up(&second).await, 0);
    assert_eq!(subject.use_up(&shared).await, 7);
}

/// A limit is the share of the best slot that counts, and no less than its own.
pub async fn limits_grow_with_the_best_slot(subject: &EphemeralSubject) {
    let guard_of = |name: &str, limit| Guard {
        always: vec![subject.learnt(name, limit, 500)],
        ..Guard::default()
    };
    assert_eq!(subject.use_up_guard(&guard_of("before", 0)).await, 0);
    for (slot, times) in [
        (NOW - 15, 9),
        (NOW - 14, 7),
        (NOW - 3, 2),
        (NOW, 4),
        (NOW + 1, 9),
    ] {
        subject.raise_times(slot, times, LONG).await;
    }
    assert_eq!(subject.use_up_guard(&guard_of("share", 1)).await, 3);
    assert_eq!(subject.use_up_guard(&guard_of("least", 5)).await, 5);
}

/// A counter is forgotten that has not been raised for its time.
pub async fn a_counter_expires(subject: &EphemeralSubject) {
    subject.raise_times(NOW, 2, SHORT).await;
    let guard = Guard {
        always: vec![subject.learnt("learnt", 0, 1_000)],
        ..Guard::default()
    };
    assert_eq!(subject.use_up_guard(&guard).await, 2);
    subject.advance(PAST_SHORT).await;
    let guard = Guard {
        always: vec![subject.learnt("forgotten", 0, 1_000)],
        ..Guard::default()
    };
    assert_eq!(subject.use_up_guard(&guard).await, 0);
}

/// One odd reading of a clock, or a few, wipe nothing of what was learnt.
pub async fn an_odd_clock_wipes_no_counter(subject: &EphemeralSubject) {
    subject.raise_times(NOW - 3, 2, LONG).await;
    for away in [15, 16, 400, -15, -16, -400, 1_000_000, -1_000_000] {
        subject.raise_times(NOW + away, 1, LONG).await;
    }
    let guard = Guard {
        always: vec![subject.learnt("learnt", 0, 1_000)],
        ..Guard::default()
    };
    assert_eq!(subject.use_up_guard(&guard).await, 2);
}

/// A counter has a bounded number of slots: that which is furthest from the one
/// that is raised goes first.
pub async fn a_counter_keeps_the_slots_about_the_last(subject: &EphemeralSubject) {
    let kept = i64::try_from(Learnt::KEPT_SLOTS).expect("few");
    subject.raise_times(NOW, 3, LONG).await;
    let guard_of = |name: &str| Guard {
        always: vec![subject.learnt(name, 0, 1_000)],
        ..Guard::default()
    };
    for away in 1..kept {
        subject.raise_times(NOW + 100 + away, 1, LONG).await;
    }
    assert_eq!(subject.use_up_guard(&guard_of("kept")).await, 3);
    // One more of those, and what is furthest from it is gone.
    subject.raise_times(NOW + 100 + kept, 1, LONG).await;
    assert_eq!(subject.use_up_guard(&guard_of("gone")).await, 0);
}

/// Of 64 that are charged at once, as many as the smallest limit are, of the own
/// budget and the shared one together.
pub async fn of_64_guarded_at_once_as_many_as_the_limits_are_kept(subject: &EphemeralSubject) {
    let [own, shared] = [("own", 7), ("shared", 13)]
        .map(|(name, limit)| subject.budget(&format!("{name} at once"), limit, LONG));
    let plain = subject.budget("plain at once", 64, LONG);
    let guard = Guard {
        own: vec![fixed(&own)],
        shared: vec![fixed(&shared)],
        ..Guard::default()
    };
    let (name, guesses) = (subject.key("guarded at once"), subject.ample());
    let answers = subject
        .at_once(64, |store, number| {
            let (guard, plain, guesses) = (guard.clone(), [plain.clone()], guesses.clone());
            let key = format!("{name} {number}");
            async move {
                let secret = secret_under(&guesses, "value", "123");
                let kept = store.supersede_guarded(&plain, &guard, &key, &key, secret, LONG);
                (kept.await.expect("supersede_guarded"), key)
            }
        })
        .await;
    let mut by_answer = [0; 3];
    for (answer, key) in &answers {
        let (place, is_kept) = match answer {
            GuardedSpending::Spent(Alternative::Own) => (0, true),
            GuardedSpending::Spent(Alternative::Shared) => (1, true),
            _ => (2, false),
        };
        by_answer[place] += 1;
        assert_eq!(subject.got(key).await.is_some(), is_kept);
    }
    assert_eq!(by_answer, [7, 13, 44]);
    assert_eq!(subject.use_up(&plain).await, 44);
    for used_up in [&own, &shared] {
        assert_ne!(subject.spend(&[used_up]).await, Spending::Spent);
    }
}
