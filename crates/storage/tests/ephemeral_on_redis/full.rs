//! A Redis whose memory is full answers with errors, and nothing is half done.

use std::sync::Arc;

use countersign_domain::ports::{Budget, Comparison, EphemeralStore as _, Spending};

use crate::servers::store;
use crate::{MINUTE, budget, exchange, guess, keep_secret, keep_secret_for};

const NAMES: &str = "countersign:{default}:budgets";

#[tokio::test]
async fn a_full_redis_denies_and_forgets_nothing() {
    let Some((redis, server)) = store(&["--maxmemory-policy", "noeviction"]).await else {
        return;
    };
    let (known, new) = (budget("guesses"), budget("new"));
    let spend_known = || redis.spend(std::slice::from_ref(&known));
    spend_known().await.expect("spend");
    spend_known().await.expect("spend");
    redis.put("value", b"value", MINUTE).await.expect("put");
    keep_secret(&redis, "code").await.expect("supersede");
    let maxmemory = ["CONFIG", "SET", "maxmemory"];
    server
        .command::<()>(&[&maxmemory[..], &["1"]].concat())
        .await;

    let mut errors = vec![
        spend_known().await.expect_err("full"),
        redis
            .spend(std::slice::from_ref(&new))
            .await
            .expect_err("full"),
        redis.put("new", b"value", MINUTE).await.expect_err("full"),
        redis
            .put_if_absent("new", b"value", MINUTE)
            .await
            .expect_err("full"),
        keep_secret(&redis, "code").await.expect_err("full"),
        keep_secret(&redis, "new").await.expect_err("full"),
        keep_secret_for(&redis, &[known.clone(), new.clone()], "new", "new")
            .await
            .expect_err("full"),
        redis.ping().await.expect_err("full"),
    ];
    // The right guess is refused as the wrong one is, or it would be told.
    for text in [&b"0"[..], b"123"] {
        for exchange in [None, Some(exchange("gained"))] {
            let compared = redis.compare("code", guess(text), exchange).await;
            errors.push(compared.expect_err("full"));
        }
    }
    for error in errors {
        assert!(error.to_string().contains("its memory is full"), "{error}");
    }
    // What gives room back works.
    assert!(redis.take("value").await.expect("take").is_some());
    redis
        .refund(&[known.clone(), new.clone()])
        .await
        .expect("refund");
    assert!(redis.latest("code").await.expect("latest").is_some());

    server
        .command::<()>(&[&maxmemory[..], &["0"]].concat())
        .await;
    assert_eq!(redis.tries("code").await.expect("tries"), 0);
    for key in ["new", "gained"] {
        assert_eq!(redis.get(key).await.expect("get"), None);
    }
    let right = redis.compare("code", guess(b"123"), Some(exchange("gained")));
    assert_eq!(right.await.expect("compare"), Comparison::Matches);
    for (budget, left) in [(&known, 2), (&new, 3)] {
        for _ in 0..left {
            let spent = redis.spend(std::slice::from_ref(budget)).await;
            assert_eq!(spent.expect("spend"), Spending::Spent);
        }
        let refused = redis.spend(std::slice::from_ref(budget)).await;
        let refused = refused.expect("spend");
        assert!(matches!(refused, Spending::Refused { .. }), "{refused:?}");
    }
}

/// Many write at once until the memory is full, and go on for a while.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_fills_up_has_nothing_half_written() {
    let limits = ["--maxmemory", "6mb", "--maxmemory-policy", "noeviction"];
    let Some((redis, server)) = store(&limits).await else {
        return;
    };
    let redis = Arc::new(redis);
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..32 {
        let redis = Arc::clone(&redis);
        writers.spawn(async move {
            let (mut done, mut refused) = (0, 0);
            for number in 0..400 {
                let name = format!("{writer} {number} {:x<80}", "");
                let written = match number % 3 {
                    0 => redis.put(&name, &[b'x'; 200], MINUTE).await,
                    1 => {
                        let budgets = [budget(format!("of {name}")), budget("all")];
                        let budgets = budgets.map(|budget| Budget {
                            limit: u32::MAX,
                            ..budget
                        });
                        let kept = keep_secret_for(&redis, &budgets, &name, &name).await;
                        kept.map(drop)
                    }
                    _ => redis.spend(&[budget(&name), budget("all")]).await.map(drop),
                };
                match written {
                    Ok(()) => done += 1,
                    Err(error) => {
                        assert!(error.to_string().contains("memory is full"), "{error}");
                        refused += 1;
                    }
                }
            }
            (done, refused)
        });
    }
    let (mut done, mut refused) = (0, 0);
    for (more_done, more_refused) in writers.join_all().await {
        done += more_done;
        refused += more_refused;
    }
    println!("{done} written, {refused} refused");
    assert!(
        done > 500 && refused > 500,
        "{done} written, {refused} refused"
    );

    let keys: Vec<String> = server.command(&["KEYS", "*"]).await;
    let (mut series, mut secrets, mut budgets) = (0, 0, 0);
    for key in &keys {
        let left: i64 = server.command(&["PTTL", key]).await;
        assert!(left > 0, "{key}: {left}");
        if let Some((_, name)) = key.split_once(":latest:") {
            series += 1;
            let latest: String = server.command(&["GET", key]).await;
            let end = 5 + name.len() - 1;
            let owner = ["GETRANGE", &latest, "5", &end.to_string()];
            let owner: String = server.command(&owner).await;
            assert_eq!(owner, name);
        } else if key.contains(":kept:") {
            let mark: String = server.command(&["GETRANGE", key, "0", "0"]).await;
            secrets += usize::from(mark == "s");
        } else if let Some(name) = key.strip_prefix(&format!("{NAMES}:")) {
            budgets += 1;
            let end: Option<u64> = server.command(&["ZSCORE", NAMES, name]).await;
            assert!(end.is_some(), "{name}");
        }
    }
    assert_eq!(series, secrets);
    let names: usize = server.command(&["ZCARD", NAMES]).await;
    assert_eq!(names, budgets);
}
