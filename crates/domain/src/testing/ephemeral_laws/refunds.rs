//! Laws of refunds: one is given back, and nothing else changes.

use super::subject::{EARLY, EphemeralSubject, LATE, LONG, PAST_SHORT, SHORT};
use crate::ports::Spending;

/// A refund gives back one of each budget.
pub async fn a_refund_gives_back_one_of_each(subject: &EphemeralSubject) {
    let [a, b, other] = ["a", "b", "other"].map(|name| subject.budget(name, 3, LONG));
    for budget in [&a, &b, &other] {
        subject.use_up(budget).await;
    }
    subject.refund(&[&a, &b]).await;
    subject.refund(&[&a]).await;
    for (budget, left) in [(&a, 2), (&b, 1), (&other, 0)] {
        assert_eq!(subject.use_up(budget).await, left, "{}", budget.name);
    }
}

/// A budget that is named twice is given back two.
pub async fn a_budget_named_twice_is_refunded_twice(subject: &EphemeralSubject) {
    let budget = subject.budget("twice", 3, LONG);
    subject.use_up(&budget).await;
    subject.refund(&[&budget, &budget]).await;
    assert_eq!(subject.use_up(&budget).await, 2);
}

/// Nobody can save up: what was not charged is not given back.
pub async fn a_refund_never_goes_below_zero(subject: &EphemeralSubject) {
    let budget = subject.budget("saved up", 3, LONG);
    let unknown = subject.budget("unknown", 3, LONG);
    subject.spend(&[&budget]).await;
    for _ in 0..3 {
        subject.refund(&[&budget, &unknown, &budget]).await;
    }
    assert_eq!(subject.use_up(&budget).await, 3);
    assert_eq!(subject.use_up(&unknown).await, 3);
}

/// To refund no budget, or one that was never charged, is no error, and opens no
/// window.
pub async fn a_refund_of_nothing_does_nothing(subject: &EphemeralSubject) {
    subject.refund(&[]).await;
    subject.refund(&[&subject.budget("new", 1, SHORT)]).await;
    let budget = subject.budget("new", 1, LONG);
    assert_eq!(subject.spend(&[&budget]).await, Spending::Spent);
    subject.advance(PAST_SHORT).await;
    let later = subject.spend(&[&budget]).await;
    assert!(matches!(later, Spending::Refused { .. }), "{later:?}");
}

/// The window stays as it is, even if nothing is left in it.
pub async fn a_refund_leaves_the_window_alone(subject: &EphemeralSubject) {
    let (short, long) = (
        subject.budget("short", 1, SHORT),
        subject.budget("long", 1, LONG),
    );
    subject.spend(&[&short, &long]).await;
    subject.advance(EARLY).await;
    subject.refund(&[&short, &long]).await;
    // Both windows are still those of the first charges.
    let (renamed_short, renamed_long) = (
        subject.budget("short", 1, LONG),
        subject.budget("long", 1, SHORT),
    );
    let spent = subject.spend(&[&renamed_short, &renamed_long]).await;
    assert_eq!(spent, Spending::Spent);
    subject.advance(LATE).await;
    assert_eq!(subject.use_up(&short).await, 1);
    assert_eq!(subject.use_up(&long).await, 0);
}

/// What was charged in a window that has passed is not given back in the next.
pub async fn a_refund_gives_nothing_back_after_the_window(subject: &EphemeralSubject) {
    let budget = subject.budget("passed", 2, SHORT);
    subject.use_up(&budget).await;
    subject.advance(PAST_SHORT).await;
    subject.refund(&[&budget]).await;
    let raised = subject.budget("passed", 4, LONG);
    assert_eq!(subject.use_up(&raised).await, 4);
}

/// Of 64 refunds at once none is lost.
pub async fn refunds_at_once_are_all_made(subject: &EphemeralSubject) {
    let budget = subject.budget("at once", 100, LONG);
    subject.use_up(&budget).await;
    subject
        .at_once(64, |store, _| {
            let budgets = [budget.clone()];
            async move { store.refund(&budgets).await.expect("refund") }
        })
        .await;
    assert_eq!(subject.use_up(&budget).await, 64);
}
