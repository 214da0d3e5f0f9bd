//! The store on Redis keeps the laws, and when Redis does not do its part, every
//! answer is a no or an error.

mod ephemeral_support;
mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_domain::ports::{EphemeralError, EphemeralStore as _};
use countersign_domain::testing::ephemeral_laws::EphemeralSubject;
use countersign_storage::{Redis, RedisSettings};
use ephemeral_support::{MovingAddress, RedisServer};

const MINUTE: Duration = Duration::from_secs(60);
const TIMEOUT: Duration = Duration::from_secs(1);

async fn set_up() -> Option<EphemeralSubject> {
    let url = support::service_url("COUNTERSIGN_TEST_REDIS", "redis://127.0.0.1:6379/");
    let settings = RedisSettings {
        timeout: Duration::from_secs(10),
        ..RedisSettings::new(&url)
    };
    match Redis::connect(&settings).await {
        Ok(redis) => Some(EphemeralSubject::in_real_time(Arc::new(redis))),
        Err(error) => {
            assert!(!support::services_required(), "{error}");
            support::skip(&format!("Redis is not reachable at {url}: {error}"));
            None
        }
    }
}

countersign_domain::ephemeral_laws!(set_up);

/// A server of the test's own, if there is a program to start.
async fn server(arguments: &[&str]) -> Option<RedisServer> {
    let server = RedisServer::start(arguments).await;
    if server.is_none() {
        assert!(!support::services_required(), "redis-server cannot be run");
        support::skip("there is no redis-server to be run");
    }
    server
}

async fn connect(url: &str) -> Result<Redis, EphemeralError> {
    let settings = RedisSettings {
        timeout: TIMEOUT,
        ..RedisSettings::new(url)
    };
    Redis::connect(&settings).await
}

/// The text of the error of a connection that must not come about.
async fn refused(url: &str) -> String {
    match connect(url).await {
        Ok(_) => panic!("{url} was accepted"),
        Err(error) => error.to_string(),
    }
}

/// Waits for Redis to be asked successfully again.
async fn until_it_answers(redis: &Redis) {
    for _ in 0..200 {
        if redis.ping().await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it does not recover");
}

#[tokio::test]
async fn a_redis_that_evicts_is_refused_with_the_remedy() {
    for policy in ["allkeys-lru", "volatile-ttl"] {
        let Some(server) = server(&["--maxmemory-policy", policy]).await else {
            return;
        };
        let error = refused(&server.url()).await;
        assert!(
            error.contains(&format!("maxmemory-policy is {policy}")),
            "{error}"
        );
        assert!(
            error.contains("set maxmemory-policy to noeviction"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn the_policy_is_checked_for_each_new_connection() {
    let Some(server) = server(&[]).await else {
        return;
    };
    let redis = connect(&server.url()).await.expect("connect");
    let lru = ["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"];
    server.command::<()>(&lru).await;
    server
        .command::<()>(&["CLIENT", "KILL", "TYPE", "normal"])
        .await;
    let error = redis
        .put("key", b"value", MINUTE)
        .await
        .expect_err("refused");
    assert!(error.to_string().contains("noeviction"), "{error}");
}

/// Managed servers forbid it.
#[tokio::test]
async fn config_need_not_be_allowed() {
    let Some(server) = server(&["--rename-command", "CONFIG", ""]).await else {
        return;
    };
    let redis = connect(&server.url()).await.expect("connect");
    redis.put("key", b"value", MINUTE).await.expect("put");
}

#[tokio::test]
async fn a_full_redis_denies_and_forgets_nothing() {
    let Some(server) = server(&["--maxmemory-policy", "noeviction"]).await else {
        return;
    };
    let redis = connect(&server.url()).await.expect("connect");
    redis.count_within("count", 3, MINUTE).await.expect("count");
    redis.put("code", b"value", MINUTE).await.expect("put");
    server
        .command::<()>(&["CONFIG", "SET", "maxmemory", "1"])
        .await;

    for error in [
        redis
            .count_within("count", 3, MINUTE)
            .await
            .expect_err("full"),
        redis
            .count_within("new", 3, MINUTE)
            .await
            .expect_err("full"),
        redis.compare("code", b"value", 5).await.expect_err("full"),
        redis.put("new", b"value", MINUTE).await.expect_err("full"),
        redis
            .put_if_absent("new", b"value", MINUTE)
            .await
            .expect_err("full"),
    ] {
        assert!(error.to_string().contains("its memory is full"), "{error}");
    }

    server
        .command::<()>(&["CONFIG", "SET", "maxmemory", "0"])
        .await;
    assert_eq!(redis.tries("code").await.expect("tries"), 0);
    assert_eq!(redis.tries("count").await.expect("tries"), 1);
    assert_eq!(redis.get("new").await.expect("get"), None);
}

#[tokio::test]
async fn a_redis_that_stands_still_is_an_error_in_time_and_recovers() {
    let Some(server) = server(&[]).await else {
        return;
    };
    let redis = Arc::new(connect(&server.url()).await.expect("connect"));
    redis.put("key", b"value", MINUTE).await.expect("put");
    server.signal("STOP");

    #[expect(
        clippy::disallowed_methods,
        reason = "measures how long a caller waits"
    )]
    let started = Instant::now();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let redis = Arc::clone(&redis);
        calls.spawn(async move { redis.count_within("count", 9, MINUTE).await });
    }
    for answer in calls.join_all().await {
        let error = answer.expect_err("an answer from a stopped server");
        assert!(error.to_string().contains("no answer within 1s"), "{error}");
    }
    assert!(started.elapsed() < TIMEOUT * 4, "{:?}", started.elapsed());

    server.signal("CONT");
    until_it_answers(&redis).await;
    let got = redis.get("key").await.expect("get");
    assert_eq!(got.as_deref(), Some(&b"value"[..]));
}

#[tokio::test]
async fn a_redis_that_was_restarted_is_found_again() {
    let Some(server) = server(&[]).await else {
        return;
    };
    let redis = connect(&server.url()).await.expect("connect");
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
    redis.count_within("count", 9, MINUTE).await.expect("count");
    assert_eq!(redis.tries("count").await.expect("tries"), 1);
    let keys: u32 = second.command(&["EXISTS", "countersign:count"]).await;
    assert_eq!(keys, 1);
}

#[tokio::test]
async fn a_replica_without_a_master_is_an_error() {
    let Some(server) = server(&[]).await else {
        return;
    };
    let redis = connect(&server.url()).await.expect("connect");
    server.command::<()>(&["REPLICAOF", "127.0.0.1", "1"]).await;
    let error = redis
        .put("key", b"value", MINUTE)
        .await
        .expect_err("a replica");
    assert!(error.to_string().contains("READONLY"), "{error}");
}

#[tokio::test]
async fn no_key_is_kept_without_an_end() {
    let Some(server) = server(&[]).await else {
        return;
    };
    let redis = connect(&server.url()).await.expect("connect");
    redis.put("a", b"value", MINUTE).await.expect("put");
    redis
        .put_if_absent("b", b"value", MINUTE)
        .await
        .expect("put");
    redis.count_within("c", 9, MINUTE).await.expect("count");
    redis.put("d", b"value", Duration::MAX).await.expect("put");
    redis.compare("a", b"guess", 9).await.expect("compare");
    for key in ["a", "b", "c", "d"] {
        let left: i64 = server
            .command(&["PTTL", &format!("countersign:{key}")])
            .await;
        assert!(left > 0, "{key}: {left}");
    }
}

#[tokio::test]
async fn errors_tell_no_password() {
    let Some(server) = server(&["--requirepass", "s3cret-of-redis"]).await else {
        return;
    };
    let port = server.port;
    for url in [
        format!("redis://:wr0ng-password@127.0.0.1:{port}/"),
        "redis://user:wr0ng-password@127.0.0.1:1/".into(),
        "redis://user:wr0ng-password@127.0.0.1:nonsense/".into(),
        "redis://user:wr0ng-password@127.0.0.1:1/nonsense".into(),
        "http://user:wr0ng-password@127.0.0.1/".into(),
        format!("rediss://user:wr0ng-password@127.0.0.1:{port}/"),
        "wr0ng-password".into(),
    ] {
        let error = refused(&url).await;
        assert!(
            !error.contains("wr0ng") && error.contains("Redis"),
            "{error}"
        );
        let settings = format!("{:?}", RedisSettings::new(&url));
        assert!(!settings.contains("wr0ng"), "{settings}");
        println!("{error}");
    }
    let url = format!("redis://:s3cret-of-redis@127.0.0.1:{port}/");
    connect(&url).await.expect("connect");
}
