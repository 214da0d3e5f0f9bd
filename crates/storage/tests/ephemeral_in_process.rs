//! The in-process store keeps the laws, and its bounds.

use std::sync::Arc;
use std::time::Duration;

use countersign_domain::model::Timestamp;
use countersign_domain::ports::{
    Budget, Comparison, EphemeralError, EphemeralStore as _, Exchange, Guard, GuardedSpending,
    Guess, Learnt, LearntBudget, Raise, Reward, Secret, Spending,
};
use countersign_domain::testing::HandClock;
use countersign_domain::testing::ephemeral_laws::EphemeralSubject;
use countersign_storage::{Bounds, InProcess};

const MINUTE: Duration = Duration::from_secs(60);

fn store(values: usize, budgets: usize) -> (InProcess, Arc<HandClock>) {
    let clock = Arc::new(HandClock::new());
    let bounds = Bounds {
        values,
        budgets,
        counters: 3,
    };
    let store = InProcess::new(clock.clone(), bounds);
    (store, clock)
}

fn budget(name: impl Into<String>) -> Budget {
    Budget {
        name: name.into(),
        limit: 3,
        window: MINUTE,
    }
}

async fn spend(store: &InProcess, names: &[&str]) -> Spending {
    let budgets: Vec<Budget> = names.iter().copied().map(budget).collect();
    store.spend(&budgets).await.expect("spend")
}

fn refused(index: usize, retry_after: Duration) -> Spending {
    Spending::Refused { index, retry_after }
}

async fn supersede(store: &InProcess, series: &str, key: &str) -> Result<(), EphemeralError> {
    let kept = supersede_for(store, &[], series, key).await?;
    assert_eq!(kept, Spending::Spent);
    Ok(())
}

async fn supersede_for(
    store: &InProcess,
    names: &[&str],
    series: &str,
    key: &str,
) -> Result<Spending, EphemeralError> {
    let secret = Secret {
        value: b"value",
        secret: b"123",
        budget: "guesses",
        expires_at: Timestamp::from_seconds(1),
        reward: None,
    };
    let budgets: Vec<Budget> = names.iter().copied().map(budget).collect();
    store.supersede(&budgets, series, key, secret, MINUTE).await
}

fn guess(secret: &[u8]) -> Guess<'_> {
    Guess {
        secret,
        at: Timestamp::from_seconds(0),
        tries: 5,
        limit: 3,
        window: MINUTE,
    }
}

/// A store in which so much expires first that the laws meet expired values and
/// budgets which were not removed yet.
async fn set_up() -> Option<EphemeralSubject> {
    let (store, clock) = store(10_000, 10_000);
    for number in 0..1_000 {
        let name = format!("crowd {number}");
        let put = store.put(&name, b"", Duration::from_millis(1)).await;
        put.expect("put");
        let budget = Budget {
            window: Duration::from_millis(1),
            ..budget(name)
        };
        store.spend(&[budget]).await.expect("spend");
    }
    Some(EphemeralSubject::by_hand(Arc::new(store), clock))
}

countersign_domain::ephemeral_laws!(set_up);

#[tokio::test]
async fn a_full_room_of_values_refuses_new_ones_and_keeps_the_old_ones() {
    let (store, _clock) = store(2, 2);
    store.put("a", b"a", MINUTE).await.expect("put");
    supersede(&store, "series", "b").await.expect("supersede");

    let refused = store.put("c", b"c", MINUTE).await.expect_err("full");
    assert!(
        refused.to_string().contains("at most 2 values"),
        "{refused}"
    );
    assert!(store.put_if_absent("c", b"c", MINUTE).await.is_err());
    assert!(supersede(&store, "another series", "c").await.is_err());
    assert_eq!(store.latest("another series").await.expect("latest"), None);

    store.put("a", b"again", MINUTE).await.expect("put");
    for (key, value) in [("a", &b"again"[..]), ("b", b"value")] {
        let got = store.get(key).await.expect("get");
        assert_eq!(got.as_deref(), Some(value));
    }
    assert_eq!(spend(&store, &["x", "y"]).await, Spending::Spent);
}

#[tokio::test]
async fn a_full_room_of_values_has_room_for_what_takes_the_place_of_another() {
    let (store, _clock) = store(2, 1);
    store.put("a", b"a", MINUTE).await.expect("put");
    supersede(&store, "series", "b").await.expect("supersede");
    supersede(&store, "series", "c").await.expect("supersede");
    let exchange = Exchange {
        key: "gained",
        head: b"gained, ",
        ttl: MINUTE,
    };
    let matched = store.compare("c", guess(b"123"), Some(exchange));
    assert_eq!(matched.await.expect("compare"), Comparison::Matches);
    assert!(store.get("gained").await.expect("get").is_some());
    assert_eq!(store.size().values, 2);
}

#[tokio::test]
async fn a_secret_that_has_no_room_is_not_charged() {
    let (store, _clock) = store(1, 10);
    store.put("a", b"a", MINUTE).await.expect("put");
    for _ in 0..5 {
        let full = supersede_for(&store, &["x", "y"], "series", "b").await;
        assert!(full.is_err());
    }
    assert_eq!(store.size().budgets, 0);
    store.take("a").await.expect("take");
    let kept = supersede_for(&store, &["x", "y"], "series", "b").await;
    assert_eq!(kept.expect("supersede"), Spending::Spent);
}

#[tokio::test]
async fn a_full_room_of_budgets_refuses_new_names_until_one_ends() {
    let (store, clock) = store(10, 3);
    assert_eq!(spend(&store, &["a"]).await, Spending::Spent);
    clock.advance(MINUTE / 2);
    assert_eq!(spend(&store, &["b"]).await, Spending::Spent);

    // There is room for one of the two new ones, so for neither.
    let half = refused(2, MINUTE / 2);
    assert_eq!(spend(&store, &["b", "c", "d"]).await, half);
    assert_eq!(store.size().budgets, 2);
    assert_eq!(spend(&store, &["b", "c"]).await, Spending::Spent);
    assert_eq!(
        spend(&store, &["a", "d", "b"]).await,
        refused(1, MINUTE / 2)
    );
    assert_eq!(spend(&store, &["a", "b", "c"]).await, Spending::Spent);

    clock.advance(MINUTE / 2);
    assert_eq!(spend(&store, &["d"]).await, Spending::Spent);
    assert_eq!(store.size().budgets, 3);
}

#[tokio::test]
async fn a_store_without_room_for_budgets_refuses_all() {
    let (store, _clock) = store(10, 0);
    assert_eq!(spend(&store, &["a"]).await, refused(0, MINUTE));
}

/// Otherwise the answer would tell a right guess from wrong ones, which could
/// not be charged.
#[tokio::test]
async fn no_guess_is_compared_without_room_for_its_budget() {
    let (store, clock) = store(10, 1);
    assert_eq!(spend(&store, &["a"]).await, Spending::Spent);
    supersede(&store, "series", "key").await.expect("supersede");
    for text in [&b"123"[..], b"0"] {
        let answer = store.compare("key", guess(text), None).await;
        let exhausted = Comparison::Exhausted {
            retry_after: MINUTE,
        };
        assert_eq!(answer.expect("compare"), exhausted);
    }
    assert_eq!(store.tries("key").await.expect("tries"), 0);
    clock.advance(MINUTE / 2);
    supersede(&store, "series", "key").await.expect("supersede");
    clock.advance(MINUTE / 2);
    let right = store.compare("key", guess(b"123"), None).await;
    assert_eq!(right.expect("compare"), Comparison::Matches);
}

#[tokio::test]
async fn values_work_under_a_flood_of_names() {
    let (store, clock) = store(100, 100_000);
    let mut granted = 0;
    for number in 0..250_000 {
        let name = format!("flood {number}");
        granted += usize::from(spend(&store, &[&name]).await == Spending::Spent);
        if number % 10_000 == 0 {
            let key = format!("key {number}");
            let put = store.put(&key, b"value", MINUTE).await;
            put.expect("put");
            assert!(store.take(&key).await.expect("take").is_some());
            supersede(&store, "series", &key).await.expect("supersede");
        }
    }
    assert_eq!(granted, 100_000);
    assert_eq!(store.size().budgets, 100_000);
    assert!(store.latest("series").await.expect("latest").is_some());
    clock.advance(MINUTE);
    assert_eq!(spend(&store, &["somebody"]).await, Spending::Spent);
}

#[tokio::test]
async fn budgets_work_under_a_flood_of_values() {
    let (store, _clock) = store(1_000, 100);
    assert_eq!(spend(&store, &["a"]).await, Spending::Spent);
    let mut kept = 0;
    for number in 0..10_000 {
        let key = format!("flood {number}");
        kept += usize::from(store.put(&key, b"value", MINUTE).await.is_ok());
    }
    assert_eq!(kept, 1_000);
    assert_eq!(spend(&store, &["a", "b"]).await, Spending::Spent);
    assert_eq!(spend(&store, &["a", "b"]).await, Spending::Spent);
    assert_eq!(spend(&store, &["b", "a"]).await, refused(1, MINUTE));
}

#[tokio::test]
async fn what_has_expired_makes_room() {
    let (store, clock) = store(1, 1);
    store.put("a", b"a", MINUTE).await.expect("put");
    assert!(store.put("b", b"b", MINUTE).await.is_err());
    clock.advance(MINUTE);
    store.put("b", b"b", MINUTE).await.expect("put");
    assert_eq!(store.size().values, 1);
}

#[tokio::test]
async fn what_was_taken_or_matched_makes_room() {
    let (store, _clock) = store(1, 1);
    store.put("a", b"a", MINUTE).await.expect("put");
    store.take("a").await.expect("take");
    supersede(&store, "series", "b").await.expect("supersede");
    let right = store.compare("b", guess(b"123"), None).await;
    assert_eq!(right.expect("compare"), Comparison::Matches);
    assert_eq!(store.size().values, 0);
    store.put("c", b"c", MINUTE).await.expect("put");
}

#[tokio::test]
async fn what_has_expired_is_removed_faster_than_new_comes() {
    let (store, clock) = store(10_000, 10_000);
    for number in 0..1_000 {
        let name = format!("old {number}");
        store.put(&name, b"value", MINUTE).await.expect("put");
        store.put(&name, b"replaced", MINUTE).await.expect("put");
        spend(&store, &[&name]).await;
    }
    clock.advance(MINUTE);
    for number in 0..250 {
        let name = format!("new {number}");
        store.put(&name, b"value", MINUTE).await.expect("put");
        spend(&store, &[&name]).await;
    }
    let size = Bounds {
        values: 250,
        budgets: 250,
        counters: 0,
    };
    assert_eq!(store.size(), size);
}

#[tokio::test]
async fn the_end_of_what_was_replaced_is_not_the_end_of_what_replaces_it() {
    let (store, clock) = store(10, 10);
    store.put("a", b"first", MINUTE).await.expect("put");
    store.put("a", b"second", 3 * MINUTE).await.expect("put");
    clock.advance(2 * MINUTE);
    store.put("b", b"b", MINUTE).await.expect("put");
    assert!(store.get("a").await.expect("get").is_some());
}

#[tokio::test]
async fn a_jump_of_the_time_of_day_changes_nothing() {
    let (store, clock) = store(10, 10);
    store.put("a", b"a", MINUTE).await.expect("put");
    clock.jump_to(Timestamp::from_seconds(4_000_000_000));
    assert!(store.get("a").await.expect("get").is_some());
    clock.jump_to(Timestamp::from_seconds(0));
    clock.advance(MINUTE);
    assert!(store.get("a").await.expect("get").is_none());
}

#[tokio::test]
async fn a_time_without_end_is_kept() {
    let (store, _clock) = store(10, 10);
    store.put("a", b"a", Duration::MAX).await.expect("put");
    assert!(store.get("a").await.expect("get").is_some());
    let endless = Budget {
        window: Duration::MAX,
        limit: 1,
        name: "endless".into(),
    };
    let first = store.spend(std::slice::from_ref(&endless)).await;
    assert_eq!(first.expect("spend"), Spending::Spent);
    let second = store.spend(&[endless]).await.expect("spend");
    assert!(matches!(second, Spending::Refused { .. }), "{second:?}");
}

/// What is forgotten of counters only makes limits smaller.
#[tokio::test]
async fn where_counters_have_no_room_the_one_that_ends_first_makes_it() {
    let (store, clock) = store(10, 10);
    for number in 0..5 {
        let reward = Reward {
            refunds: Vec::new(),
            raises: vec![Raise {
                counter: format!("counter {number}"),
                slot: 1,
                ttl: MINUTE,
            }],
        };
        let secret = Secret {
            value: b"value",
            secret: b"123",
            budget: "guesses",
            expires_at: Timestamp::from_seconds(1),
            reward: Some(&reward),
        };
        let kept = store.supersede(&[], "series", "key", secret, MINUTE).await;
        kept.expect("supersede");
        let right = store.compare("key", guess(b"123"), None).await;
        assert_eq!(right.expect("compare"), Comparison::Matches);
        clock.advance(Duration::from_secs(1));
    }
    assert_eq!(store.size().counters, 3);
    for (number, known) in [(0, false), (1, false), (2, true), (3, true), (4, true)] {
        let budget = LearntBudget {
            budget: Budget {
                limit: 0,
                ..budget(format!("of {number}"))
            },
            learnt: Learnt {
                counter: format!("counter {number}"),
                slot: 1,
                slots: 0,
                permille: 1_000,
            },
        };
        let guard = Guard {
            always: vec![budget],
            ..Guard::default()
        };
        let spent = store.spend_guarded(&[], &guard).await.expect("spend");
        let is_known = matches!(spent, GuardedSpending::Spent(_));
        assert_eq!(is_known, known, "{number}");
    }
}
