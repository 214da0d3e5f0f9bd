//! Laws of rewards: what the right guess gives back and raises, once.

use super::subject::{EphemeralSubject, LONG, PAST_SHORT, SHORT, exchange, guess, secret_under};
use crate::ports::{
    Alternative, Budget, Comparison, Guard, GuardedSpending, Learnt, LearntBudget, Reward, Secret,
};

fn guard_over(always: &Budget, own: Option<&Budget>, shared: &Budget) -> Guard {
    let fixed = |budget: &Budget| LearntBudget {
        budget: budget.clone(),
        learnt: Learnt {
            counter: String::new(),
            slot: 0,
            slots: 0,
            permille: 0,
        },
    };
    Guard {
        always: vec![fixed(always)],
        own: own.map(fixed).into_iter().collect(),
        shared: vec![fixed(shared)],
        ..Guard::default()
    }
}

/// The right guess gives back what its secret was charged to by the guard, and
/// nothing of the budgets beside it.
pub async fn the_right_guess_gives_back_what_was_guarded(subject: &EphemeralSubject) {
    let [plain, always, own, shared] =
        ["plain", "always", "own", "shared"].map(|name| subject.budget(name, 1, LONG));
    let key = subject.key("secret");
    for (own_is, alternative) in [(None, Alternative::Shared), (Some(&own), Alternative::Own)] {
        let guard = guard_over(&always, own_is, &shared);
        for _ in 0..3 {
            let kept = subject.supersede_guarded(&[], &guard, &key, "123").await;
            assert_eq!(kept, GuardedSpending::Spent(alternative));
            let right = subject.guess(&key, "123", &subject.ample()).await;
            assert_eq!(right, Comparison::Matches);
        }
    }
    let guard = guard_over(&always, None, &shared);
    subject
        .supersede_guarded(&[&plain], &guard, &key, "123")
        .await;
    subject.guess(&key, "123", &subject.ample()).await;
    assert_eq!(subject.use_up(&plain).await, 0);
    for budget in [&always, &own, &shared] {
        assert_eq!(subject.use_up(budget).await, 1, "{}", budget.name);
    }
}

/// Neither a wrong guess nor a secret that is taken, superseded or put out of
/// place gives anything back; and the right guess does so once.
pub async fn nothing_else_gives_anything_back(subject: &EphemeralSubject) {
    let [always, shared] = ["always", "shared"].map(|name| subject.budget(name, 9, LONG));
    let guard = guard_over(&always, None, &shared);
    let [key, other] = ["secret", "other"].map(|name| subject.key(name));
    subject.supersede_guarded(&[], &guard, &key, "123").await;
    subject.guess(&key, "0", &subject.ample()).await;
    subject.supersede_guarded(&[], &guard, &key, "456").await;
    subject.guess(&key, "123", &subject.ample()).await;
    subject.store.take(&key).await.expect("take");
    subject.supersede_guarded(&[], &guard, &key, "123").await;
    let value = subject.store.put(&key, b"value", LONG).await;
    value.expect("put");
    subject.supersede_guarded(&[], &guard, &other, "123").await;
    for _ in 0..4 {
        subject.guess(&other, "123", &subject.ample()).await;
        subject.guess(&key, "123", &subject.ample()).await;
    }
    for budget in [&always, &shared] {
        assert_eq!(subject.use_up(budget).await, 6, "{}", budget.name);
    }
}

/// A secret that is kept with a reward of its own gives that, also to budgets
/// that were not charged with it, and none below zero.
pub async fn a_secret_has_a_reward_of_its_own(subject: &EphemeralSubject) {
    let [used, unused] = ["used", "unused"].map(|name| subject.budget(name, 2, LONG));
    subject.spend(&[&used]).await;
    let (key, guesses) = (subject.key("secret"), subject.ample());
    let reward = Reward {
        refunds: vec![used.name.clone(), unused.name.clone()],
        raises: Vec::new(),
    };
    let secret = Secret {
        reward: Some(&reward),
        ..secret_under(&guesses, "of 123", "123")
    };
    let kept = subject.store.supersede(&[], &key, &key, secret, LONG).await;
    kept.expect("supersede");
    assert_eq!(subject.latest(&key).await.as_deref(), Some("of 123"));
    let wrong = subject.guess(&key, "0", &guesses).await;
    assert_eq!(wrong, Comparison::Differs { remaining: 4 });
    assert_eq!(subject.tries(&key).await, 1);
    subject.guess(&key, "123", &guesses).await;
    for budget in [&used, &unused] {
        assert_eq!(subject.use_up(budget).await, 2, "{}", budget.name);
    }
}

/// What is exchanged for a secret has its value, and nothing of its reward.
pub async fn a_reward_is_no_part_of_the_exchange(subject: &EphemeralSubject) {
    let [always, shared] = ["always", "shared"].map(|name| subject.budget(name, 1, LONG));
    let guard = guard_over(&always, None, &shared);
    let [key, gained] = ["secret", "gained"].map(|name| subject.key(name));
    subject.supersede_guarded(&[], &guard, &key, "123").await;
    let ample = subject.ample();
    let right = guess(b"123", 5, &ample);
    let right = subject
        .store
        .compare(&key, right, Some(exchange(&gained, LONG)))
        .await;
    assert_eq!(right.expect("compare"), Comparison::Matches);
    let got = subject.got(&gained).await;
    assert_eq!(got.as_deref(), Some("gained, of 123"));
}

/// A secret with a reward and one without end each other in one series.
pub async fn secrets_with_and_without_a_reward_share_a_series(subject: &EphemeralSubject) {
    let [always, shared] = ["always", "shared"].map(|name| subject.budget(name, 9, LONG));
    let guard = guard_over(&always, None, &shared);
    let guesses = subject.ample();
    let keys = ["a", "b", "c", "d"].map(|name| subject.key(name));
    let series = subject.key("series");
    for (number, key) in keys.iter().enumerate() {
        let secret = secret_under(&guesses, "value", "123");
        let store = &subject.store;
        if number % 2 == 0 {
            let kept = store.supersede(&[], &series, key, secret, LONG);
            kept.await.expect("supersede");
        } else {
            let kept = store.supersede_guarded(&[], &guard, &series, key, secret, LONG);
            kept.await.expect("supersede_guarded");
        }
        for (earlier, kept) in keys.iter().enumerate() {
            let is_last = earlier == number;
            assert_eq!(subject.got(kept).await.is_some(), is_last, "{earlier}");
        }
    }
}

/// What is given back after the window opens none.
pub async fn a_late_reward_gives_nothing_back(subject: &EphemeralSubject) {
    let [always, shared] = ["always", "shared"].map(|name| subject.budget(name, 1, SHORT));
    let guard = guard_over(&always, None, &shared);
    let key = subject.key("secret");
    subject.supersede_guarded(&[], &guard, &key, "123").await;
    subject.advance(PAST_SHORT).await;
    subject.guess(&key, "123", &subject.ample()).await;
    for budget in [&always, &shared] {
        assert_eq!(subject.use_up(budget).await, 1, "{}", budget.name);
    }
}

/// Of 64 right guesses at once one gives back.
pub async fn of_64_right_guesses_at_once_one_gives_back(subject: &EphemeralSubject) {
    let [always, shared] = ["always", "shared"].map(|name| subject.budget(name, 70, LONG));
    let guard = guard_over(&always, None, &shared);
    for number in 0..3 {
        let key = subject.key(&format!("kept {number}"));
        subject.supersede_guarded(&[], &guard, &key, "123").await;
    }
    let (key, guesses) = (subject.key("kept 0"), subject.ample());
    let answers = subject
        .at_once(64, |store, _| {
            let (key, guesses) = (key.clone(), guesses.clone());
            async move {
                let right = guess(b"123", 5, &guesses);
                store.compare(&key, right, None).await.expect("compare")
            }
        })
        .await;
    let right = answers.iter().filter(|a| **a == Comparison::Matches);
    assert_eq!(right.count(), 1);
    for budget in [&always, &shared] {
        assert_eq!(subject.use_up(budget).await, 68, "{}", budget.name);
    }
}
