//! The room of budgets is bounded, and made-up names take no room from values.

use std::sync::Arc;
use std::time::Duration;

use countersign_domain::ports::{Budget, Comparison, EphemeralStore as _, Spending};
use countersign_storage::{Redis, RedisSettings};

use crate::servers::{RedisServer, server, settings};
use crate::{MINUTE, budget, guess, keep_secret};

const NAMES: &str = "countersign:{default}:budgets";

/// A store that keeps so many budgets.
async fn bounded(max_budget_names: usize) -> Option<(Redis, RedisServer)> {
    let server = server(&[]).await?;
    let settings = RedisSettings {
        max_budget_names,
        timeout: Duration::from_secs(10),
        ..settings(&server.url())
    };
    let redis = Redis::connect(&settings).await.expect("connect");
    Some((redis, server))
}

/// How many names of budgets are kept, of live ones or not.
async fn kept(server: &RedisServer) -> u32 {
    server.command(&["ZCARD", NAMES]).await
}

async fn spend(redis: &Redis, names: &[&str]) -> Spending {
    let budgets: Vec<Budget> = names.iter().copied().map(budget).collect();
    redis.spend(&budgets).await.expect("spend")
}

fn lasting(name: &str, window: Duration) -> Budget {
    Budget {
        window,
        ..budget(name)
    }
}

#[track_caller]
fn assert_refused(spending: Spending, first: usize, at_most: Duration) {
    match spending {
        Spending::Refused { index, retry_after } => {
            assert_eq!(index, first);
            assert!(
                retry_after > Duration::ZERO && retry_after <= at_most,
                "{retry_after:?}"
            );
        }
        Spending::Spent => panic!("it was spent"),
    }
}

#[tokio::test]
async fn full_room_refuses_new_names_until_one_ends() {
    let Some((redis, server)) = bounded(3).await else {
        return;
    };
    let short = Duration::from_millis(1_500);
    let first = redis.spend(&[lasting("a", short)]).await;
    assert_eq!(first.expect("spend"), Spending::Spent);
    assert_eq!(spend(&redis, &["b"]).await, Spending::Spent);

    // There is room for one of the two new ones, so for neither.
    assert_refused(spend(&redis, &["b", "c", "d"]).await, 2, short);
    assert_eq!(kept(&server).await, 2);
    assert_eq!(spend(&redis, &["b", "c"]).await, Spending::Spent);
    assert_refused(spend(&redis, &["a", "d", "b"]).await, 1, short);
    assert_eq!(spend(&redis, &["a", "b", "c"]).await, Spending::Spent);

    tokio::time::sleep(short).await;
    assert_eq!(spend(&redis, &["d"]).await, Spending::Spent);
    assert_refused(spend(&redis, &["e"]).await, 0, MINUTE);
    assert_eq!(kept(&server).await, 3);
}

#[tokio::test]
async fn a_store_without_room_for_budgets_refuses_all() {
    let Some((redis, _server)) = bounded(0).await else {
        return;
    };
    assert_refused(spend(&redis, &["a"]).await, 0, MINUTE);
}

/// Otherwise the answer would tell a right guess from wrong ones, which could
/// not be charged.
#[tokio::test]
async fn no_guess_is_compared_without_room_for_its_budget() {
    let Some((redis, _server)) = bounded(1).await else {
        return;
    };
    let short = Duration::from_millis(500);
    let taken = redis.spend(&[lasting("a", short)]).await;
    assert_eq!(taken.expect("spend"), Spending::Spent);
    keep_secret(&redis, "key").await.expect("supersede");
    for text in [&b"123"[..], b"0"] {
        let answer = redis.compare("key", guess(text), None).await;
        let answer = answer.expect("compare");
        assert!(matches!(answer, Comparison::Exhausted { .. }), "{answer:?}");
    }
    assert_eq!(redis.tries("key").await.expect("tries"), 0);
    tokio::time::sleep(short).await;
    let right = redis.compare("key", guess(b"123"), None).await;
    assert_eq!(right.expect("compare"), Comparison::Matches);
}

#[tokio::test]
async fn what_has_ended_is_removed_faster_than_new_comes() {
    let Some((redis, server)) = bounded(10_000).await else {
        return;
    };
    for number in 0..1_000 {
        let old = lasting(&format!("old {number}"), Duration::from_millis(500));
        redis.spend(&[old]).await.expect("spend");
    }
    assert_eq!(spend(&redis, &["lasting"]).await, Spending::Spent);
    tokio::time::sleep(Duration::from_millis(500)).await;
    for number in 0..250 {
        let name = format!("new {number}");
        assert_eq!(spend(&redis, &[&name]).await, Spending::Spent);
    }
    assert_eq!(kept(&server).await, 251);
}

/// Otherwise live budgets would not be counted any more.
#[tokio::test]
async fn the_names_are_kept_longer_than_any_budget() {
    let Some((redis, server)) = bounded(10).await else {
        return;
    };
    for (name, hours) in [("short", 1), ("long", 48), ("shorter", 2)] {
        let window = Duration::from_secs(hours * 60 * 60);
        redis.spend(&[lasting(name, window)]).await.expect("spend");
        let names: i64 = server.command(&["PTTL", NAMES]).await;
        for budget in ["short", "long", "shorter"] {
            let budget = format!("{NAMES}:{budget}");
            let budget: i64 = server.command(&["PTTL", &budget]).await;
            assert!(names > budget, "{names} ms and {budget} ms");
        }
    }
}

/// What was refused leaves no key and no name.
#[tokio::test]
async fn a_refused_spend_leaves_nothing() {
    let Some((redis, server)) = bounded(10).await else {
        return;
    };
    let none = Budget {
        limit: 0,
        ..budget("none")
    };
    for (budgets, refused) in [
        (vec![budget("a"), none.clone(), budget("b")], 1),
        (vec![budget("a"), budget("a"), budget("b"), none], 3),
    ] {
        let spending = redis.spend(&budgets).await.expect("spend");
        assert_refused(spending, refused, MINUTE);
    }
    let keys: Vec<String> = server.command(&["KEYS", "*budgets*"]).await;
    assert_eq!(keys, [""; 0]);
}

/// Where nobody is charged any more, health is still asked for.
#[tokio::test]
async fn a_ping_removes_budgets_that_have_ended() {
    let Some((redis, server)) = bounded(10_000).await else {
        return;
    };
    let window = Duration::from_secs(2);
    for number in 0..50 {
        let ending = |n: u32| lasting(&format!("{number} {n}"), window);
        let budgets: Vec<Budget> = (0..50).map(ending).collect();
        redis.spend(&budgets).await.expect("spend");
    }
    assert_eq!(spend(&redis, &["lasting"]).await, Spending::Spent);
    tokio::time::sleep(window).await;
    for left in [1_501, 501, 1, 1] {
        redis.ping().await.expect("ping");
        assert_eq!(kept(&server).await, left);
    }
}

/// 250,000 made-up names, 32 at once, against a bound of 100,000.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_work_under_a_flood_of_names() {
    let Some((redis, server)) = bounded(100_000).await else {
        return;
    };
    let used = || async {
        let used = server.info("memory", "used_memory:").await;
        used.parse::<u64>().expect("a number")
    };
    let before = used().await;
    let redis = Arc::new(redis);
    let mut flood = tokio::task::JoinSet::new();
    for source in 0..32 {
        let redis = Arc::clone(&redis);
        flood.spawn(async move {
            let mut granted = 0_u32;
            for number in 0..7_813 {
                let name = format!("attempts:{source:011}{number:011}");
                granted += u32::from(spend(&redis, &[&name]).await == Spending::Spent);
            }
            granted
        });
    }
    let mut served = 0;
    while !flood.is_empty() && served < 500 {
        let key = format!("key {served}");
        keep_secret(&redis, &key).await.expect("supersede");
        assert!(redis.latest(&key).await.expect("latest").is_some());
        redis.put("key", b"value", MINUTE).await.expect("put");
        assert!(redis.take("key").await.expect("take").is_some());
        served += 1;
    }
    let granted: u32 = flood.join_all().await.into_iter().sum();
    assert_eq!(granted, 100_000);
    assert_eq!(kept(&server).await, 100_000);
    let keys: u32 = server.command(&["DBSIZE"]).await;
    // Besides the budgets: their names, the ping, and a secret with its series
    // for each that was served.
    assert_eq!(keys, 100_000 + 2 + 2 * served);
    let each = (used().await - before) / 100_000;
    println!("250,016 names: 100,000 kept in {each} bytes each, {served} values served meanwhile");
    assert!(each < 400, "{each} bytes");

    assert_refused(spend(&redis, &["somebody"]).await, 0, MINUTE);
    keep_secret(&redis, "after").await.expect("supersede");
    let no_room = redis.compare("after", guess(b"123"), None).await;
    let no_room = no_room.expect("compare");
    assert!(
        matches!(no_room, Comparison::Exhausted { .. }),
        "{no_room:?}"
    );
}
