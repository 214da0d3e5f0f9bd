//! What a store on a server must bear: lost connections, a network that
//! swallows packets, callers who go away, a server that takes no writes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_domain::model::{PasswordCredential, PasswordHash, User};
use countersign_domain::ports::{
    Credentials as _, Outbox as _, Sessions as _, Store as _, StoreError, Users as _,
};
use countersign_storage::{Database, DatabaseSettings};

use crate::proxy::{Condition, DELAY, Proxy};
use crate::rows::{connect, insert, insert_sessions, new_message, new_user, open, rotate};
use crate::server::Server;

/// How long a call may take while nothing arrives.
const IN_TIME: Duration = Duration::from_secs(3);
/// How long the first good answer may take once there is a way again.
const HEALED_IN: Duration = Duration::from_secs(3);
/// By when dead connections are let go: every few seconds idle ones are tested.
const LET_GO_IN: Duration = Duration::from_secs(6);

/// When the server has ended all connections, one call fails at most, whatever
/// the number of connections in the pool; what was in progress is not done.
pub(crate) async fn recovery(server: &Server, url: &str) {
    let store = open(url, 4).await;
    let user = new_user(1);
    insert(&store, &user).await.expect("inserted");

    for round in 2..5 {
        let mut readers = tokio::task::JoinSet::new();
        for _ in 0..32 {
            let store = Arc::clone(&store);
            readers.spawn(async move { store.user(user.id).await.expect("readable") });
        }
        assert_eq!(readers.join_all().await.len(), 32);
        let in_progress = new_user(round);
        let mut uow = store.begin().await.expect("a unit of work");
        uow.insert_user(&in_progress).await.expect("inserted");

        server.end_connections(url).await;

        let committed = uow.commit().await;
        assert!(matches!(committed, Err(StoreError::Unavailable(_))));
        let mut failures = 0;
        for _ in 0..20 {
            match store.user(user.id).await {
                Ok(found) => assert_eq!(found.as_ref(), Some(&user)),
                Err(StoreError::Unavailable(_)) => failures += 1,
                Err(error) => panic!("{error}"),
            }
        }
        assert!(failures <= 1, "{failures} calls failed");
        let lost = store.user(in_progress.id).await.expect("readable");
        assert_eq!(lost, None);
    }
}

/// When the server has ended all connections, a read of a session that goes
/// through a batch is answered: it is sent again.
pub(crate) async fn batches_after_lost_connections(server: &Server, url: &str) {
    let store = open(url, 4).await;
    let (_, sessions) = insert_sessions(&store, 3).await;
    for (round, session) in (1..4).zip(&sessions) {
        let found = store.session_with_user(session.id).await;
        assert!(found.expect("readable").is_some());
        assert!(
            rotate(Arc::clone(&store), session.clone(), 1)
                .await
                .expect("an answer")
        );
        let queued = store.enqueue(&new_message(round)).await;
        queued.expect("queued");

        server.end_connections(url).await;

        let mut failures = 0;
        for _ in 0..5 {
            failures += usize::from(store.session_with_user(session.id).await.is_err());
        }
        let pinned = server.pins_connections;
        assert!(failures <= usize::from(!pinned), "{failures} reads failed");
        for generation in 2..5 {
            let rotated = rotate(Arc::clone(&store), session.clone(), generation).await;
            assert!(rotated.expect("connections were tested"), "{generation}");
        }
        let queued = store.enqueue(&new_message(100 + round)).await;
        queued.expect("connections were tested");
    }
}

/// The network swallows what units of work say: their commits fail in time, and
/// once there is a way again the store finds it.
pub(crate) async fn a_dead_network(url: &str) {
    let proxy = Proxy::to(url).await;
    let store = connect_over(&proxy).await;
    let user = new_user(1);
    insert(&store, &user).await.expect("inserted");
    let mut units = Vec::new();
    for seed in 2..6 {
        let mut uow = store.begin().await.expect("a unit of work");
        uow.insert_user(&new_user(seed)).await.expect("inserted");
        units.push(uow);
    }

    proxy.set(Condition::Swallowing);
    let mut commits = tokio::task::JoinSet::new();
    for uow in units {
        commits.spawn(uow.commit());
    }
    let commits = tokio::time::timeout(IN_TIME, commits.join_all()).await;
    for committed in commits.expect("commits end in time") {
        assert!(matches!(committed, Err(StoreError::Unavailable(_))));
    }
    let read = tokio::time::timeout(IN_TIME, store.user(user.id)).await;
    let read = read.expect("a call ends in time");
    assert!(matches!(read, Err(StoreError::Unavailable(_))));

    proxy.set(Condition::Good);
    recovers(&store, &user).await;
    lets_go(&proxy).await;
}

/// The network swallows everything while nobody calls, and while many do: after
/// that the first refresh is answered soon, and no dead connection is held.
pub(crate) async fn connections_swallowed(url: &str) {
    let proxy = Proxy::to(url).await;
    let store = connect_over(&proxy).await;
    let (_, sessions) = insert_sessions(&store, 16).await;
    for (round, busy) in (1..).zip([false, true, true]) {
        let mut tasks = tokio::task::JoinSet::new();
        for session in sessions.clone() {
            let store = Arc::clone(&store);
            tasks.spawn(async move {
                // All connections are in use for a while.
                let mut uow = store.begin().await.expect("a unit of work");
                let locked = uow.lock_user(session.user_id).await;
                assert!(locked.expect("readable").is_some());
            });
        }
        tasks.join_all().await;

        proxy.set(Condition::Swallowing);
        if busy {
            let mut calls = tokio::task::JoinSet::new();
            for session in sessions.clone() {
                let store = Arc::clone(&store);
                calls.spawn(async move { store.session(session.id).await });
            }
            for read in calls.join_all().await {
                assert!(matches!(read, Err(StoreError::Unavailable(_))));
            }
        } else {
            tokio::time::sleep(Duration::from_secs(4)).await;
        }
        proxy.set(Condition::Good);

        let healed_at = now();
        refreshes_again(&store, &sessions[0], round).await;
        let took = now().duration_since(healed_at);
        assert!(took <= HEALED_IN, "the first refresh took {took:?}");
        lets_go(&proxy).await;
    }
}

async fn refreshes_again(
    store: &Arc<Database>,
    session: &countersign_domain::model::Session,
    generation: i64,
) {
    loop {
        let read = store.session_with_user(session.id).await;
        if matches!(read, Ok(Some(_))) {
            match rotate(Arc::clone(store), session.clone(), generation).await {
                Ok(rotated) => return assert!(rotated, "it was refreshed before"),
                Err(StoreError::Unavailable(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A message whose statement is not answered may be queued, and the answer says so.
pub(crate) async fn unanswered_messages(url: &str) {
    let proxy = Proxy::to(url).await;
    let store = connect_over(&proxy).await;
    store.enqueue(&new_message(1)).await.expect("queued");
    proxy.set(Condition::Swallowing);
    let queued = store.enqueue(&new_message(2)).await;
    assert!(
        matches!(queued, Err(StoreError::Uncertain(_))),
        "{queued:?}"
    );
    proxy.set(Condition::Good);
}

/// All callers go away before the store notices that the network is dead: the
/// pool must not wait for their connections.
pub(crate) async fn callers_who_give_up(url: &str) {
    let proxy = Proxy::to(url).await;
    let store = connect_over(&proxy).await;
    let user = new_user(1);
    insert(&store, &user).await.expect("inserted");
    let mut units = Vec::new();
    for _ in 0..4 {
        units.push(store.begin().await.expect("a unit of work"));
    }
    drop(units);
    tokio::time::sleep(Duration::from_millis(200)).await;

    proxy.set(Condition::Swallowing);
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let store = Arc::clone(&store);
        calls.spawn(async move {
            let call = store.user(user.id);
            tokio::time::timeout(Duration::from_millis(100), call).await
        });
    }
    for call in calls.join_all().await {
        assert!(call.is_err(), "the network is not dead");
    }

    proxy.set(Condition::Good);
    recovers(&store, &user).await;
    lets_go(&proxy).await;
}

/// A caller goes away between BEGIN and its reply. What others write on that
/// connection afterwards is not caught in its transaction.
pub(crate) async fn an_abandoned_begin(url: &str) {
    let proxy = Proxy::to(url).await;
    let store = open(&proxy.url, 1).await;
    let user = new_user(1);
    let mut uow = store.begin().await.expect("a unit of work");
    uow.insert_user(&user).await.expect("inserted");
    let password = PasswordHash::new("hash".into());
    let credential = PasswordCredential::new(user.id, password, user.created_at);
    uow.put_credential(&credential).await.expect("a password");
    uow.commit().await.expect("committed");

    proxy.set(Condition::Slow);
    let abandoned = tokio::time::timeout(DELAY / 4, store.begin()).await;
    assert!(abandoned.is_err(), "the network is not slow");
    tokio::time::sleep(DELAY * 4).await;
    proxy.set(Condition::Good);

    let counted = store.count_attempt(user.id, 10).await;
    assert!(counted.expect("an answer"));
    let witness = connect(url, 1).await;
    let account = witness.account(user.id).await.expect("readable");
    let credential = account.and_then(|account| account.credential);
    assert_eq!(credential.map(|credential| credential.failures), Some(1));
}

/// Connections that refuse writes, while new ones would take them: as if a
/// primary was demoted and its address moved to another. What the server is
/// told makes it so for sessions that are opened then.
pub(crate) async fn a_primary_that_moved(server: &Server, url: &str, refuse: &str, accept: &str) {
    let setting_up = open(url, 2).await;
    let (user, sessions) = insert_sessions(&setting_up, 2).await;
    setting_up.close().await;
    server.run_sql(refuse).await;
    let store = Arc::new(connect(url, 4).await);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (store, user) = (Arc::clone(&store), user.clone());
        tasks.spawn(async move { store.user(user.id).await });
    }
    for found in tasks.join_all().await {
        assert_eq!(found.expect("reads are answered"), Some(user.clone()));
    }
    assert!(store.ping().await.is_err(), "a ping finds out");
    let refused = rotate(Arc::clone(&store), sessions[0].clone(), 1).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
    let refused = insert(&store, &new_user(7)).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
    let found = store.user(user.id).await.expect("reads are answered");
    assert_eq!(found, Some(user.clone()));

    server.run_sql(accept).await;
    let moved_at = now();
    refreshes_again(&store, &sessions[0], 1).await;
    while insert(&store, &new_user(8)).await.is_err() || store.ping().await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let took = now().duration_since(moved_at);
    assert!(took <= HEALED_IN, "it took {took:?}");
    // The last of the old connections are found out as they are used.
    tokio::time::sleep(Duration::from_secs(3)).await;
    for seed in 20..40 {
        insert(&store, &new_user(seed)).await.expect("inserted");
    }
}

async fn connect_over(proxy: &Proxy) -> Arc<Database> {
    let settings = DatabaseSettings {
        max_connections: 4,
        acquire_timeout: Duration::from_millis(500),
        statement_timeout: Duration::from_secs(1),
        ..DatabaseSettings::new(proxy.url.as_str())
    };
    let store = Database::connect(&settings).await.expect("a database");
    store.migrate().await.expect("migrated");
    Arc::new(store)
}

async fn recovers(store: &Database, user: &User) {
    let healed_at = now();
    while store.user(user.id).await.is_err() {
        let took = now().duration_since(healed_at);
        assert!(took < HEALED_IN, "the store does not find its way back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut units = Vec::new();
    for seed in 10..14 {
        let mut uow = store.begin().await.expect("a unit of work");
        uow.insert_user(&new_user(seed)).await.expect("inserted");
        units.push(uow);
    }
    for uow in units {
        uow.commit().await.expect("committed");
    }
}

async fn lets_go(proxy: &Proxy) {
    let healed_at = now();
    while proxy.dead() > 0 {
        let took = now().duration_since(healed_at);
        let dead = proxy.dead();
        assert!(took < LET_GO_IN, "{dead} dead connections are held");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "measures how long the store takes"
)]
fn now() -> Instant {
    Instant::now()
}
