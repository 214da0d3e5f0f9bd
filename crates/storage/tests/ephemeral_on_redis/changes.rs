//! Wake-up calls reach every replica, and subscribers notice when they may have
//! missed some.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use countersign_storage::{Changes, Redis, RedisSettings, Subscription};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::servers::{MovingAddress, RedisServer, connect, server, settings};

const CHANNEL: &str = "countersign:{default}:changes";

/// A replica that counts how often it was woken.
struct Replica {
    changes: Changes,
    calls: Arc<AtomicU32>,
    called: Arc<Notify>,
    _subscription: Subscription,
}

impl Replica {
    fn of(redis: &Redis) -> Self {
        let changes = redis.changes();
        let (calls, called) = (Arc::new(AtomicU32::new(0)), Arc::new(Notify::new()));
        let (count, tell) = (Arc::clone(&calls), Arc::clone(&called));
        let subscription = changes.subscribe(move || {
            count.fetch_add(1, Ordering::Relaxed);
            tell.notify_one();
        });
        Self {
            changes,
            calls,
            called,
            _subscription: subscription,
        }
    }

    /// A replica that has heard that it is connected.
    async fn connected(url: &str) -> Self {
        let replica = Self::of(&connect(url).await.expect("connect"));
        replica.until_called().await;
        replica
    }

    async fn until_called(&self) {
        let called = timeout(Duration::from_secs(15), self.called.notified());
        called.await.expect("nobody called");
    }

    fn calls(&self) -> u32 {
        self.calls.load(Ordering::Relaxed)
    }
}

/// Enough for messages that are on their way.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(300)).await;
}

#[expect(
    clippy::disallowed_methods,
    reason = "measures how long a message takes"
)]
fn now() -> Instant {
    Instant::now()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_wakes_every_replica() {
    let Some(server) = server(&[]).await else {
        return;
    };
    let mut replicas = Vec::new();
    for _ in 0..3 {
        replicas.push(Replica::connected(&server.url()).await);
    }
    let mut longest = Duration::ZERO;
    for round in 0..30 {
        let published = now();
        replicas[round % 3].changes.publish();
        for replica in &replicas {
            replica.until_called().await;
        }
        longest = longest.max(published.elapsed());
    }
    println!("of 30 changes the slowest took {longest:?} to all 3 replicas");
    assert!(longest < Duration::from_secs(1), "{longest:?}");
    settle().await;
    for replica in &replicas {
        assert_eq!(replica.calls(), 31);
    }
}

#[tokio::test]
async fn changes_of_another_scope_wake_nobody() {
    let Some(server) = server(&[]).await else {
        return;
    };
    let replica = Replica::connected(&server.url()).await;
    let other = RedisSettings {
        scope: "another".into(),
        ..settings(&server.url())
    };
    let other = Replica::of(&Redis::connect(&other).await.expect("connect"));
    other.until_called().await;
    other.changes.publish();
    other.until_called().await;
    settle().await;
    assert_eq!(replica.calls(), 1);
}

#[tokio::test]
async fn many_changes_at_once_are_few_messages() {
    let Some(server) = server(&[]).await else {
        return;
    };
    let replica = Replica::connected(&server.url()).await;
    for _ in 0..10_000 {
        replica.changes.publish();
    }
    replica.until_called().await;
    settle().await;
    let messages = replica.calls() - 1;
    assert!((1..=2).contains(&messages), "{messages} messages");
}

#[tokio::test]
async fn a_restarted_redis_is_a_change_and_carries_more() {
    let Some(server) = server(&[]).await else {
        return;
    };
    let replica = Replica::connected(&server.url()).await;
    let port = server.end();
    // What cannot be published is lost, and holds nobody up.
    for _ in 0..100 {
        replica.changes.publish();
        tokio::task::yield_now().await;
    }
    settle().await;
    assert_eq!(replica.calls(), 1);

    let server = RedisServer::start_at(port, &[]).await.expect("a server");
    replica.until_called().await;
    let listening: (String, u32) = server.command(&["PUBSUB", "NUMSUB", CHANNEL]).await;
    assert_eq!(listening.1, 1);
    // The first may still meet a connection of the old server.
    let mut published = 0;
    while replica.calls() < 3 {
        published += 1;
        assert!(published < 50, "no message comes through");
        replica.changes.publish();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_connection_that_the_network_swallows_is_replaced() {
    let Some(server) = server(&[]).await else {
        return;
    };
    let address = MovingAddress::to(server.port).await;
    let replica = Replica::connected(&address.url()).await;
    let elsewhere = Replica::connected(&server.url()).await;
    address.swallow();
    elsewhere.changes.publish();
    elsewhere.until_called().await;
    settle().await;
    assert_eq!(replica.calls(), 1);

    let healed = now();
    address.heal();
    replica.until_called().await;
    println!("woken {:?} after the network is back", healed.elapsed());
    elsewhere.changes.publish();
    replica.until_called().await;
    assert_eq!(replica.calls(), 3);
}

#[tokio::test]
async fn a_redis_that_stands_still_is_noticed() {
    let Some(server) = server(&[]).await else {
        return;
    };
    let replica = Replica::connected(&server.url()).await;
    server.signal("STOP");
    // Longer than it takes to probe, to give up, and to try to connect.
    tokio::time::sleep(Duration::from_secs(6)).await;
    server.signal("CONT");
    replica.until_called().await;
    assert!(replica.calls() >= 2);
}

#[tokio::test]
async fn a_dropped_subscription_is_over() {
    let Some(server) = server(&[]).await else {
        return;
    };
    let replica = Replica::connected(&server.url()).await;
    let subscribers = || async {
        let answer: (String, u32) = server.command(&["PUBSUB", "NUMSUB", CHANNEL]).await;
        answer.1
    };
    assert_eq!(subscribers().await, 1);
    drop(replica);
    for _ in 0..100 {
        if subscribers().await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it is still subscribed");
}
