//! Laws of secrets that are charged to budgets: charged and kept, or neither.

use std::time::Duration;

use super::subject::{EphemeralSubject, LONG, PAST_SHORT, SHORT, secret_under};
use crate::ports::{Comparison, Spending};

/// Each budget is charged with one, and the secret is kept, whether the windows
/// are open or not.
pub async fn a_secret_is_charged_to_each_of_its_budgets(subject: &EphemeralSubject) {
    let [a, b] = ["a", "b"].map(|name| subject.budget(name, 3, LONG));
    let (series, key) = (subject.key("series"), subject.key("charged"));
    for secret in ["111", "222"] {
        let spent = subject
            .supersede_for(&[&a, &b], &series, &key, secret, LONG)
            .await;
        assert_eq!(spent, Spending::Spent);
        let told = Some(format!("of {secret}"));
        assert_eq!(subject.got(&key).await, told);
        assert_eq!(subject.latest(&series).await, told);
    }
    let right = subject.guess(&key, "222", &subject.ample()).await;
    assert_eq!(right, Comparison::Matches);
    for budget in [&a, &b] {
        assert_eq!(subject.use_up(budget).await, 1, "{}", budget.name);
    }
}

/// Wherever the used up budget stands, nothing is kept, nothing is charged, no
/// window is opened, and the earlier secret stays the latest with its tries.
pub async fn a_refused_secret_changes_nothing(subject: &EphemeralSubject) {
    let (known, fresh) = (
        subject.budget("known", 2, LONG),
        subject.budget("fresh", 1, SHORT),
    );
    let full = subject.budget("full", 1, LONG);
    let (series, earlier) = (subject.key("series"), subject.key("earlier"));
    let refused_key = subject.key("refused");
    subject.spend(&[&known, &full]).await;
    subject.supersede(&series, &earlier, "111", LONG).await;
    subject.guess(&earlier, "0", &subject.ample()).await;
    for (budgets, first) in [
        ([&full, &known, &fresh], 0),
        ([&known, &full, &fresh], 1),
        ([&fresh, &known, &full], 2),
    ] {
        for key in [&refused_key, &earlier] {
            let refused = subject
                .supersede_for(&budgets, &series, key, "222", LONG)
                .await;
            match refused {
                Spending::Refused { index, retry_after } => {
                    assert_eq!(index, first);
                    assert!(retry_after > Duration::ZERO && retry_after <= LONG);
                }
                Spending::Spent => panic!("it was spent"),
            }
        }
    }
    assert_eq!(subject.got(&refused_key).await, None);
    assert_eq!(subject.latest(&series).await.as_deref(), Some("of 111"));
    assert_eq!(subject.tries(&earlier).await, 1);
    let right = subject.guess(&earlier, "111", &subject.ample()).await;
    assert_eq!(right, Comparison::Matches);
    assert_eq!(subject.use_up(&known).await, 1);
    let long = subject.budget("fresh", 1, LONG);
    assert_eq!(subject.use_up(&long).await, 1);
    subject.advance(PAST_SHORT).await;
    assert_eq!(subject.use_up(&long).await, 0);
}

/// Of 64 secrets that are kept at once for the same budgets, as many as the
/// smallest limit are: those that were granted.
pub async fn of_64_charged_secrets_at_once_as_many_as_the_limit_are_kept(
    subject: &EphemeralSubject,
) {
    let budgets = [("wide", 40), ("narrow", 10)]
        .map(|(name, limit)| subject.budget(&format!("{name} at once"), limit, LONG));
    let (name, guesses) = (subject.key("at once"), subject.ample());
    let answers = subject
        .at_once(64, |store, number| {
            let (budgets, guesses) = (budgets.clone(), guesses.clone());
            let key = format!("{name} {number}");
            async move {
                let secret = secret_under(&guesses, "value", "123");
                let kept = store.supersede(&budgets, &key, &key, secret, LONG);
                (kept.await.expect("supersede"), key)
            }
        })
        .await;
    let mut granted = 0;
    for (answer, key) in &answers {
        let is_granted = *answer == Spending::Spent;
        assert_eq!(subject.got(key).await.is_some(), is_granted);
        assert_eq!(subject.latest(key).await.is_some(), is_granted);
        granted += u32::from(is_granted);
    }
    assert_eq!(granted, 10);
    for budget in &budgets {
        let left = budget.limit - granted;
        assert_eq!(subject.use_up(budget).await, left, "{}", budget.name);
    }
}
