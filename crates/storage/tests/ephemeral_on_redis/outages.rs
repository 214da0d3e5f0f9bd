//! What becomes of calls while Redis is away, and after it is back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_domain::ports::{Comparison, EphemeralStore as _, Spending};
use countersign_storage::Redis;

use crate::servers::{
    MovingAddress, RedisServer, TIMEOUT, connect, server, store, until_it_answers,
};
use crate::{MINUTE, budget, guess, keep_secret};

#[expect(
    clippy::disallowed_methods,
    reason = "measures how long a caller waits"
)]
fn now() -> Instant {
    Instant::now()
}

/// Makes sure that 50 who ask at once wait no longer than they may.
async fn assert_errors_in_time(redis: &Arc<Redis>) {
    let started = now();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let redis = Arc::clone(redis);
        calls.spawn(async move { redis.spend(&[budget("count")]).await });
    }
    for answer in calls.join_all().await {
        let error = answer.expect_err("an answer from nobody");
        assert!(error.to_string().contains("no answer within 1s"), "{error}");
    }
    assert!(started.elapsed() < TIMEOUT * 4, "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_redis_that_stands_still_is_an_error_in_time_and_recovers() {
    let Some((redis, server)) = store(&[]).await else {
        return;
    };
    let redis = Arc::new(redis);
    redis.put("key", b"value", MINUTE).await.expect("put");
    server.signal("STOP");
    assert_errors_in_time(&redis).await;
    server.signal("CONT");
    until_it_answers(&redis).await;
    let got = redis.get("key").await.expect("get");
    assert_eq!(got.as_deref(), Some(&b"value"[..]));
}

#[tokio::test]
async fn connections_that_the_network_swallows_are_replaced() {
    let Some(server) = server(&[]).await else {
        return;
    };
    let address = MovingAddress::to(server.port).await;
    let redis = Arc::new(connect(&address.url()).await.expect("connect"));
    redis.put("key", b"value", MINUTE).await.expect("put");
    address.swallow();
    assert_errors_in_time(&redis).await;
    address.heal();
    let got = redis.get("key").await.expect("get");
    assert_eq!(got.as_deref(), Some(&b"value"[..]));
}

#[tokio::test]
async fn a_redis_that_was_restarted_is_found_again() {
    let Some((redis, server)) = store(&[]).await else {
        return;
    };
    redis.put("key", b"value", MINUTE).await.expect("put");
    let port = server.end();
    let error = redis.get("key").await.expect_err("nobody is there");
    assert!(
        error.to_string().contains(&format!("127.0.0.1:{port}")),
        "{error}"
    );

    let _server = RedisServer::start_at(port, &[]).await.expect("a server");
    until_it_answers(&redis).await;
    // The scripts are gone with the old server, and loaded again.
    redis.put("key", b"value", MINUTE).await.expect("put");
}

/// Redis closes connections that are idle, and balancers do.
#[tokio::test]
async fn a_closed_connection_costs_no_call() {
    let Some((redis, server)) = store(&[]).await else {
        return;
    };
    for _ in 0..5 {
        for _ in 0..4 {
            redis.put("key", b"value", MINUTE).await.expect("put");
        }
        server
            .command::<()>(&["CLIENT", "KILL", "TYPE", "normal"])
            .await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_call_that_is_given_up_disturbs_no_other() {
    let Some((redis, server)) = store(&[]).await else {
        return;
    };
    redis.put("key", b"value", MINUTE).await.expect("put");
    for _ in 0..100 {
        let given_up = tokio::time::timeout(Duration::ZERO, redis.get("another"));
        given_up.await.ok();
        let got = redis.get("key").await.expect("get");
        assert_eq!(got.as_deref(), Some(&b"value"[..]));
    }
    let connections = server.info("stats", "total_connections_received:").await;
    let connections: u32 = connections.parse().expect("a number");
    // Two of the store, and one each for what the test asks.
    assert!(connections < 10, "{connections} connections");
}

#[tokio::test]
async fn a_demoted_master_is_left_for_its_successor() {
    let (Some(first), Some(second)) = (server(&[]).await, server(&[]).await) else {
        return;
    };
    let address = MovingAddress::to(first.port).await;
    let redis = connect(&address.url()).await.expect("connect");
    redis.put("key", b"first", MINUTE).await.expect("put");

    address.move_to(second.port);
    let port = second.port.to_string();
    first
        .command::<()>(&["REPLICAOF", "127.0.0.1", &port])
        .await;
    let budgets = ["a", "b"].map(budget);
    let spent = redis.spend(&budgets).await.expect("spend");
    assert_eq!(spent, Spending::Spent);
    for name in ["a", "b"] {
        let key = format!("countersign:{{default}}:budgets:{name}");
        let charged: u32 = second.command(&["GET", &key]).await;
        assert_eq!(charged, 1);
    }
}

#[tokio::test]
async fn a_replica_is_an_error_for_what_writes_and_for_the_ping() {
    let Some((redis, server)) = store(&[]).await else {
        return;
    };
    keep_secret(&redis, "key").await.expect("supersede");
    server.command::<()>(&["REPLICAOF", "127.0.0.1", "1"]).await;
    for error in [
        redis.put("key", b"value", MINUTE).await.expect_err("a put"),
        redis.take("key").await.expect_err("a take"),
        redis.spend(&[budget("a")]).await.expect_err("a spend"),
        redis.refund(&[budget("a")]).await.expect_err("a refund"),
        redis
            .compare("key", guess(b"123"), None)
            .await
            .expect_err("the right guess"),
        redis
            .compare("key", guess(b"0"), None)
            .await
            .expect_err("a wrong guess"),
        redis.ping().await.expect_err("a ping"),
    ] {
        assert!(error.to_string().contains("READONLY"), "{error}");
    }
    assert!(connect(&server.url()).await.is_err());

    server.command::<()>(&["REPLICAOF", "NO", "ONE"]).await;
    assert_eq!(redis.tries("key").await.expect("tries"), 0);
    let right = redis.compare("key", guess(b"123"), None).await;
    assert_eq!(right.expect("compare"), Comparison::Matches);
}

/// What was there is gone, and nothing works by halves.
#[tokio::test]
async fn an_emptied_redis_is_an_empty_store() {
    let Some((redis, server)) = store(&[]).await else {
        return;
    };
    let guesses = budget("guesses");
    keep_secret(&redis, "key").await.expect("supersede");
    let wrong = redis.compare("key", guess(b"0"), None).await;
    assert_eq!(
        wrong.expect("compare"),
        Comparison::Differs { remaining: 4 }
    );

    for flush in [&["FLUSHALL"][..], &["SCRIPT", "FLUSH"]] {
        server.command::<()>(flush).await;
        let dead = redis.compare("key", guess(b"123"), None).await;
        assert_eq!(dead.expect("compare"), Comparison::Absent);
        assert_eq!(redis.latest("key").await.expect("latest"), None);
        redis
            .refund(std::slice::from_ref(&guesses))
            .await
            .expect("refund");
    }
    for _ in 0..3 {
        let spent = redis
            .spend(std::slice::from_ref(&guesses))
            .await
            .expect("spend");
        assert_eq!(spent, Spending::Spent);
    }
    let fourth = redis.spend(&[guesses]).await.expect("spend");
    assert!(matches!(fourth, Spending::Refused { .. }), "{fourth:?}");
}
