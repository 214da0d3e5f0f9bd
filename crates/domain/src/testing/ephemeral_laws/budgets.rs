//! Laws of budgets: all of an action's are charged, or none.

use std::time::Duration;

use super::subject::{EARLY, EphemeralSubject, LATE, LONG, PAST_SHORT, SHORT};
use crate::ports::{Budget, Spending};

/// A budget is charged up to its limit; then the answer is when its window ends.
pub async fn a_budget_is_charged_up_to_its_limit(subject: &EphemeralSubject) {
    let (budget, other) = (
        subject.budget("events", 3, LONG),
        subject.budget("other events", 3, LONG),
    );
    assert_eq!(subject.use_up(&budget).await, 3);
    for _ in 0..2 {
        assert_refused(subject.spend(&[&budget]).await, 0, LONG);
    }
    assert_eq!(subject.use_up(&other).await, 3);
}

/// The limit is that of the call: a raised one lets more pass, a lowered one
/// less.
pub async fn limits_may_be_raised_and_lowered(subject: &EphemeralSubject) {
    let limited = |limit| subject.budget("events", limit, LONG);
    assert_eq!(subject.use_up(&limited(3)).await, 3);
    assert_eq!(subject.use_up(&limited(5)).await, 2);
    assert_refused(subject.spend(&[&limited(2)]).await, 0, LONG);
    assert_refused(subject.spend(&[&limited(5)]).await, 0, LONG);
    assert_eq!(subject.use_up(&limited(6)).await, 1);
}

/// With a limit of zero nothing is charged, and no window is opened.
pub async fn a_limit_of_zero_charges_nothing(subject: &EphemeralSubject) {
    let none = subject.budget("zero", 0, SHORT);
    assert_refused(subject.spend(&[&none]).await, 0, SHORT);
    let one = subject.budget("zero", 1, LONG);
    assert_eq!(subject.use_up(&one).await, 1);
    subject.advance(PAST_SHORT).await;
    assert_refused(subject.spend(&[&one]).await, 0, LONG);
}

/// To spend no budget is granted.
pub async fn spending_nothing_is_granted(subject: &EphemeralSubject) {
    assert_eq!(subject.spend(&[]).await, Spending::Spent);
}

/// Wherever the used up budget stands, the others are not charged; the answer
/// names the first that is used up.
pub async fn a_refused_spend_charges_none(subject: &EphemeralSubject) {
    let [a, b, c] = ["a", "b", "c"].map(|name| subject.budget(name, 4, LONG));
    let fresh = subject.budget("fresh", 1, LONG);
    let (full, also_full) = (
        subject.budget("full", 2, LONG),
        subject.budget("also full", 1, LONG),
    );
    subject.spend(&[&a]).await;
    subject.use_up(&full).await;
    subject.use_up(&also_full).await;
    for (budgets, index) in [
        (vec![&full, &a, &b, &c, &fresh], 0),
        (vec![&a, &full, &b, &fresh, &c], 1),
        (vec![&fresh, &a, &b, &c, &full], 4),
        (vec![&a, &also_full, &b, &full], 1),
        (vec![&a, &full, &b, &also_full], 1),
    ] {
        assert_refused(subject.spend(&budgets).await, index, LONG);
    }
    for (budget, left) in [(&a, 3), (&b, 4), (&c, 4), (&fresh, 1)] {
        assert_eq!(subject.use_up(budget).await, left, "{}", budget.name);
    }
}

/// A refused spend opens no window either: that begins with the first charge.
pub async fn a_refused_spend_opens_no_window(subject: &EphemeralSubject) {
    let (short, full) = (
        subject.budget("new", 1, SHORT),
        subject.budget("full", 0, LONG),
    );
    assert_refused(subject.spend(&[&short, &short]).await, 1, SHORT);
    assert_refused(subject.spend(&[&short, &full]).await, 1, LONG);
    let long = subject.budget("new", 1, LONG);
    assert_eq!(subject.spend(&[&long]).await, Spending::Spent);
    subject.advance(PAST_SHORT).await;
    assert_refused(subject.spend(&[&long]).await, 0, LONG);
}

/// Of 64 who spend the same three budgets at once, as many as the smallest limit
/// do, and each budget is charged with as many.
pub async fn of_64_spends_at_once_as_many_as_the_smallest_limit_are_granted(
    subject: &EphemeralSubject,
) {
    let budgets = [("a", 40), ("b", 10), ("c", 23)]
        .map(|(name, limit)| subject.budget(&format!("{name} at once"), limit, LONG));
    let answers = subject
        .at_once(64, |store, number| {
            let mut budgets = budgets.to_vec();
            budgets.rotate_left(number % 3);
            async move {
                let small = budgets.iter().position(|budget| budget.limit == 10);
                (store.spend(&budgets).await.expect("spend"), small)
            }
        })
        .await;
    let mut granted = 0;
    for (answer, small) in answers {
        match answer {
            Spending::Spent => granted += 1,
            Spending::Refused { index, .. } => assert_eq!(Some(index), small),
        }
    }
    assert_eq!(granted, 10);
    for budget in &budgets {
        let left = budget.limit - 10;
        assert_eq!(subject.use_up(budget).await, left, "{}", budget.name);
    }
}

/// A budget that is named twice is charged twice, or the whole is refused at the
/// place for which there was no room.
pub async fn a_budget_named_twice_is_charged_twice(subject: &EphemeralSubject) {
    let [twice, other] = ["twice", "other"].map(|name| subject.budget(name, 3, LONG));
    let spent = subject.spend(&[&twice, &other, &twice]).await;
    assert_eq!(spent, Spending::Spent);
    let refused = subject.spend(&[&twice, &other, &twice]).await;
    assert_refused(refused, 2, LONG);
    assert_eq!(subject.use_up(&twice).await, 1);
    assert_eq!(subject.use_up(&other).await, 2);

    let single = subject.budget("single", 1, LONG);
    let refused = subject.spend(&[&single, &single]).await;
    assert_refused(refused, 1, LONG);
    assert_eq!(subject.use_up(&single).await, 1);
}

/// Neither later charges nor refused ones move the end of the window, after
/// which the whole budget is there again.
pub async fn the_first_charge_opens_the_window(subject: &EphemeralSubject) {
    let budget = subject.budget("window", 2, SHORT);
    subject.spend(&[&budget]).await;
    subject.advance(EARLY).await;
    subject.use_up(&budget).await;
    subject.advance(LATE).await;
    let raised = subject.budget("window", 5, LONG);
    assert_eq!(subject.use_up(&raised).await, 5);
}

/// An open window keeps its end, whatever window later charges name.
pub async fn an_open_window_keeps_its_end(subject: &EphemeralSubject) {
    let [short, long] = [("short", SHORT), ("long", LONG)];
    for (name, window) in [short, long] {
        subject.spend(&[&subject.budget(name, 2, window)]).await;
    }
    for (name, window) in [(short.0, LONG), (long.0, SHORT)] {
        subject.spend(&[&subject.budget(name, 2, window)]).await;
    }
    subject.advance(PAST_SHORT).await;
    let (short, long) = (
        subject.budget("short", 2, SHORT),
        subject.budget("long", 2, SHORT),
    );
    assert_eq!(subject.use_up(&short).await, 2);
    assert_refused(subject.spend(&[&long]).await, 0, LONG);
}

/// A refusal tells the time to the end of the window, not its length.
pub async fn a_refusal_tells_when_the_window_ends(subject: &EphemeralSubject) {
    let budget = subject.budget("ends", 1, SHORT);
    subject.spend(&[&budget]).await;
    subject.advance(EARLY).await;
    match subject.spend(&[&budget]).await {
        Spending::Refused { retry_after, .. } => {
            assert!(
                retry_after <= SHORT.saturating_sub(EARLY),
                "{retry_after:?}"
            );
        }
        Spending::Spent => panic!("it was spent"),
    }
}

/// A value and a budget of one name have nothing to do with each other.
pub async fn a_value_and_a_budget_of_one_name_are_independent(subject: &EphemeralSubject) {
    let store = &subject.store;
    let budget = subject.budget("shared", 2, LONG);
    let key = &budget.name;
    subject.spend(&[&budget]).await;
    assert_eq!(subject.got(key).await, None);
    assert_eq!(subject.tries(key).await, 0);
    assert_eq!(store.take(key).await.expect("take"), None);
    let put = store.put_if_absent(key, b"value", SHORT).await;
    assert!(put.expect("put"));

    subject.spend(&[&budget]).await;
    subject.refund(&[&budget]).await;
    assert_eq!(subject.got(key).await.as_deref(), Some("value"));
    subject.advance(PAST_SHORT).await;
    assert_eq!(subject.got(key).await, None);
    assert_eq!(subject.use_up(&budget).await, 1);
}

/// Names of 200 bytes differ in the last one, in case, and in signs that mean
/// something elsewhere.
pub async fn budgets_are_told_apart_to_the_last_byte(subject: &EphemeralSubject) {
    let long = format!("{:x<199}", subject.key("long"));
    let budgets: Vec<Budget> = ["a", "A", "b", "*", "}"]
        .iter()
        .map(|end| format!("{long}{end}"))
        .chain(["", "{}", "{a}", "a b", "a:b", "1:2"].map(|name| subject.key(name)))
        .map(|name| Budget {
            name,
            limit: 2,
            window: LONG,
        })
        .collect();
    let all: Vec<&Budget> = budgets.iter().collect();
    assert_eq!(subject.spend(&all).await, Spending::Spent);
    for budget in all {
        assert_eq!(subject.use_up(budget).await, 1, "{}", budget.name);
    }
}

fn assert_refused(spending: Spending, first: usize, window: Duration) {
    match spending {
        Spending::Refused { index, retry_after } => {
            assert_eq!(index, first);
            assert!(
                retry_after > Duration::ZERO && retry_after <= window,
                "{retry_after:?}"
            );
        }
        Spending::Spent => panic!("it was spent"),
    }
}
