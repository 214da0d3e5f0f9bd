//! Which servers are accepted, and what is kept where.

use std::time::Duration;

use countersign_domain::ports::{Budget, Comparison, EphemeralStore as _, Spending};
use countersign_storage::{Redis, RedisSettings};
use tempfile::TempDir;

use crate::servers::{connect, pretender, server, settings, store};
use crate::{MINUTE, budget, exchange, guess, keep_secret, keep_secret_for};

/// The text of the error of a connection that must not come about.
async fn refused(settings: &RedisSettings) -> String {
    match Redis::connect(settings).await {
        Ok(_) => panic!("{settings:?} was accepted"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn a_redis_that_evicts_is_refused_with_the_remedy() {
    for policy in ["allkeys-lru", "volatile-ttl"] {
        let Some(server) = server(&["--maxmemory-policy", policy]).await else {
            return;
        };
        let error = refused(&settings(&server.url())).await;
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
async fn a_redis_that_is_too_old_or_tells_no_policy_is_refused() {
    for (info, why) in [
        (
            "redis_version:6.2.14\r\nmaxmemory_policy:noeviction\r\n",
            "version 6.2.14",
        ),
        (
            "redis_version:7.0.15\r\n",
            "does not tell the maxmemory-policy",
        ),
    ] {
        let port = pretender(info).await;
        let error = refused(&settings(&format!("redis://127.0.0.1:{port}/"))).await;
        assert!(error.contains(why), "{error}");
    }
}

#[tokio::test]
async fn the_policy_is_checked_for_each_new_connection() {
    let Some((redis, server)) = store(&[]).await else {
        return;
    };
    let lru = ["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"];
    server.command::<()>(&lru).await;
    server
        .command::<()>(&["CLIENT", "KILL", "TYPE", "normal"])
        .await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let error = redis
        .put("key", b"value", MINUTE)
        .await
        .expect_err("refused");
    assert!(error.to_string().contains("noeviction"), "{error}");
}

/// Managed servers forbid it.
#[tokio::test]
async fn config_need_not_be_allowed() {
    let Some((redis, _server)) = store(&["--rename-command", "CONFIG", ""]).await else {
        return;
    };
    redis.put("key", b"value", MINUTE).await.expect("put");
}

#[tokio::test]
async fn unusable_settings_are_refused_by_name() {
    let usable = settings("redis://127.0.0.1:1/");
    for scope in ["", "a b", "{a}", &"a".repeat(65)] {
        let scope = scope.to_owned();
        let error = refused(&RedisSettings {
            scope,
            ..usable.clone()
        })
        .await;
        assert!(error.contains("scope"), "{error}");
    }
    let max_connections = 0;
    let none = RedisSettings {
        max_connections,
        ..usable.clone()
    };
    let error = refused(&none).await;
    assert!(error.contains("connections"), "{error}");
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
        let settings = settings(&url);
        let error = refused(&settings).await;
        assert!(
            !error.contains("wr0ng") && error.contains("Redis"),
            "{error}"
        );
        let settings = format!("{settings:?}");
        assert!(!settings.contains("wr0ng"), "{settings}");
        println!("{error}");
    }
    let url = format!("redis://:s3cret-of-redis@127.0.0.1:{port}/");
    connect(&url).await.expect("connect");
}

#[tokio::test]
async fn deployments_that_share_a_redis_have_names_of_their_own() {
    let Some(server) = server(&[]).await else {
        return;
    };
    let mut stores = Vec::new();
    for scope in ["one", "two"] {
        let settings = RedisSettings {
            scope: scope.into(),
            max_budget_names: 1,
            ..settings(&server.url())
        };
        stores.push(Redis::connect(&settings).await.expect("connect"));
    }
    let names = ["key of one", "key of two"];
    for (store, name) in stores.iter().zip(names) {
        store
            .put("key", name.as_bytes(), MINUTE)
            .await
            .expect("put");
        let spent = store.spend(&[budget(name)]).await.expect("spend");
        assert_eq!(spent, Spending::Spent);
    }
    for (store, name) in stores.iter().zip(names) {
        let got = store.get("key").await.expect("get");
        assert_eq!(got.as_deref(), Some(name.as_bytes()));
    }
}

#[tokio::test]
async fn no_key_is_kept_without_an_end() {
    let Some((redis, server)) = store(&[]).await else {
        return;
    };
    redis.put("a", b"value", MINUTE).await.expect("put");
    let put = redis.put_if_absent("b", b"value", MINUTE).await;
    assert!(put.expect("put"));
    redis.put("c", b"value", Duration::MAX).await.expect("put");
    let endless = Budget {
        window: Duration::MAX,
        ..budget("endless")
    };
    let budgets = [budget("a"), endless];
    redis.spend(&budgets).await.expect("spend");
    redis.refund(&budgets).await.expect("refund");
    for key in ["wrong", "right"] {
        keep_secret(&redis, key).await.expect("supersede");
    }
    for (key, text) in [("wrong", &b"0"[..]), ("right", b"123")] {
        let exchange = Some(exchange("gained"));
        let compared = redis.compare(key, guess(text), exchange).await;
        compared.expect("compare");
    }
    redis.ping().await.expect("ping");

    let keys: Vec<String> = server.command(&["KEYS", "*"]).await;
    // Five values, two series of which one has lost its secret, three budgets and
    // their names, and the ping.
    assert_eq!(keys.len(), 12, "{keys:?}");
    for key in keys {
        assert!(key.starts_with("countersign:{default}:"), "{key}");
        let left: i64 = server.command(&["PTTL", &key]).await;
        assert!(left > 0, "{key}: {left}");
    }
}

#[tokio::test]
async fn the_keys_of_a_call_are_in_one_slot_of_a_cluster() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().to_str().expect("a path in UTF-8");
    let cluster = ["--cluster-enabled", "yes", "--dir", path];
    let Some(server) = server(&cluster).await else {
        return;
    };
    let slots = ["CLUSTER", "ADDSLOTSRANGE", "0", "16383"];
    server.command::<()>(&slots).await;
    let mut waited = 0;
    while server.info("cluster", "cluster_enabled:").await != "1"
        || connect(&server.url()).await.is_err()
    {
        waited += 1;
        assert!(waited < 100, "the cluster does not come up");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let redis = connect(&server.url()).await.expect("connect");

    redis.put("a", b"value", MINUTE).await.expect("put");
    redis.take("a").await.expect("take");
    let budgets = ["b", "c", "d"].map(budget);
    redis.spend(&budgets).await.expect("spend");
    redis.refund(&budgets).await.expect("refund");
    for key in ["earlier", "key"] {
        let kept = keep_secret_for(&redis, &budgets, "series", key).await;
        assert_eq!(kept.expect("supersede"), Spending::Spent);
    }
    assert_eq!(redis.get("earlier").await.expect("get"), None);
    let latest = redis.latest("series").await.expect("latest");
    assert_eq!(latest.as_deref(), Some(&b"value"[..]));
    for (text, answer) in [
        (&b"0"[..], Comparison::Differs { remaining: 4 }),
        (b"123", Comparison::Matches),
    ] {
        let exchange = Some(exchange("gained"));
        let compared = redis.compare("key", guess(text), exchange);
        assert_eq!(compared.await.expect("compare"), answer);
    }
    let gained = redis.get("gained").await.expect("get");
    assert_eq!(gained.as_deref(), Some(&b"gained, value"[..]));
}
