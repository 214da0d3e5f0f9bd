//! What a store on a server must bear: lost connections, a dead network, callers
//! who go away, locks.

use std::sync::Arc;
use std::time::Duration;

use countersign_domain::model::{
    ClientContext, PasswordCredential, PasswordHash, Rotation, Session, SessionId, User,
};
use countersign_domain::ports::{Store as _, StoreError};
use countersign_domain::testing::SeededRandom;
use countersign_storage::{Database, DatabaseSettings};

use super::line::{Condition, DELAY, Line};
use super::{Server, connect, insert, new_user};

/// How long a call may take over a line that is dead.
const IN_TIME: Duration = Duration::from_secs(3);

/// When the server has ended all connections, one call fails at most, whatever
/// the number of connections in the pool; what was in progress is not done.
pub(crate) async fn recovery(server: &Server, url: &str) {
    let store = Arc::new(connect(url, 4).await);
    store.migrate().await.expect("migrated");
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

/// The network goes dead under units of work: their commits fail in time, and
/// once there is a way again the store finds it.
pub(crate) async fn a_dead_network(url: &str) {
    let line = Line::to(url).await;
    let store = connect_over(&line).await;
    let user = new_user(1);
    insert(&store, &user).await.expect("inserted");
    let mut units = Vec::new();
    for seed in 2..6 {
        let mut uow = store.begin().await.expect("a unit of work");
        uow.insert_user(&new_user(seed)).await.expect("inserted");
        units.push(uow);
    }

    line.set(Condition::Cut);
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

    line.set(Condition::Good);
    recovers(&store, &user).await;
}

/// The network goes dead, and all callers go away before the store notices:
/// the pool must not wait for their connections.
pub(crate) async fn callers_who_give_up(url: &str) {
    let line = Line::to(url).await;
    let store = connect_over(&line).await;
    let user = new_user(1);
    insert(&store, &user).await.expect("inserted");
    let mut units = Vec::new();
    for _ in 0..4 {
        units.push(store.begin().await.expect("a unit of work"));
    }
    drop(units);
    tokio::time::sleep(Duration::from_millis(200)).await;

    line.set(Condition::Cut);
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let store = Arc::clone(&store);
        calls.spawn(async move {
            let call = store.user(user.id);
            tokio::time::timeout(Duration::from_millis(100), call).await
        });
    }
    for call in calls.join_all().await {
        assert!(call.is_err(), "the line is not dead");
    }

    line.set(Condition::Good);
    recovers(&store, &user).await;
}

/// A caller goes away between BEGIN and its reply. What others write on that
/// connection afterwards is not caught in its transaction.
pub(crate) async fn an_abandoned_begin(url: &str) {
    let line = Line::to(url).await;
    let settings = DatabaseSettings {
        max_connections: 1,
        ..DatabaseSettings::new(&line.url)
    };
    let store = Database::connect(&settings).await.expect("a database");
    store.migrate().await.expect("migrated");

    let user = new_user(1);
    let mut uow = store.begin().await.expect("a unit of work");
    uow.insert_user(&user).await.expect("inserted");
    let password = PasswordHash::new("hash".into());
    let credential = PasswordCredential::new(user.id, password, user.created_at);
    uow.put_credential(&credential).await.expect("a password");
    uow.commit().await.expect("committed");

    // The pool gets its connection back, so that BEGIN goes out at once.
    tokio::time::sleep(DELAY).await;
    line.set(Condition::Slow);
    let abandoned = tokio::time::timeout(DELAY / 4, store.begin()).await;
    assert!(abandoned.is_err(), "the line is not slow");
    tokio::time::sleep(DELAY * 4).await;
    line.set(Condition::Good);

    let counted = store.count_attempt(user.id, 10).await;
    assert!(counted.expect("an answer"));
    let witness = connect(url, 1).await;
    let account = witness.account(user.id).await.expect("readable");
    let credential = account.and_then(|account| account.credential);
    assert_eq!(credential.map(|credential| credential.failures), Some(1));
}

/// While somebody ends a session, all others can be refreshed; the refresh of
/// that one waits and then finds what has become of it.
pub(crate) async fn a_locked_session(url: &str) {
    let store = Arc::new(connect(url, 8).await);
    store.migrate().await.expect("migrated");
    let user = new_user(1);
    let sessions: Vec<_> = (0..40).map(|seed| new_session(&user, seed)).collect();
    let mut uow = store.begin().await.expect("a unit of work");
    uow.insert_user(&user).await.expect("inserted");
    for session in &sessions {
        uow.insert_session(session).await.expect("inserted");
    }
    uow.commit().await.expect("committed");

    let (locked, others) = sessions.split_first().expect("forty sessions");
    let mut uow = store.begin().await.expect("a unit of work");
    let ended = uow.revoke_session(locked.id, user.created_at, Duration::ZERO);
    assert!(ended.await.expect("an answer"));

    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..3 {
        waiting.spawn(rotate(Arc::clone(&store), locked.clone(), 1));
    }
    for round in 1..4 {
        let mut tasks = tokio::task::JoinSet::new();
        for session in others {
            tasks.spawn(rotate(Arc::clone(&store), session.clone(), round));
        }
        let rotated = tokio::time::timeout(IN_TIME, tasks.join_all()).await;
        let rotated = rotated.expect("they do not wait");
        assert!(rotated.into_iter().all(|rotated| rotated));
    }
    assert!(waiting.try_join_next().is_none(), "it did not wait");
    uow.commit().await.expect("committed");
    let rotated = waiting.join_all().await;
    assert_eq!(rotated, [false; 3]);
}

fn new_session(user: &User, seed: u64) -> Session {
    let random = SeededRandom::new(seed);
    let later = user.created_at.plus(Duration::from_secs(86_400));
    Session {
        id: SessionId::generate(user.created_at, &random),
        user_id: user.id,
        group: user.group.clone(),
        client_id: "gateway".into(),
        audience: "api".into(),
        scopes: Vec::new(),
        methods: Vec::new(),
        client: ClientContext::default(),
        salt: [7; 16],
        generation: 1,
        parent: 0,
        minted_at: user.created_at,
        created_at: user.created_at,
        expires_at: later,
        ends_at: later,
        revoked_at: None,
    }
}

async fn rotate(store: Arc<Database>, session: Session, from: i64) -> bool {
    let rotation = Rotation {
        from,
        to: from + 1,
        parent: from,
        minted_at: session.minted_at,
        expires_at: session.expires_at,
    };
    let rotated = store.rotate(session.id, rotation).await;
    rotated.expect("an answer")
}

async fn connect_over(line: &Line) -> Arc<Database> {
    let settings = DatabaseSettings {
        max_connections: 4,
        acquire_timeout: Duration::from_millis(500),
        statement_timeout: Duration::from_secs(1),
        ..DatabaseSettings::new(&line.url)
    };
    let store = Database::connect(&settings).await.expect("a database");
    store.migrate().await.expect("migrated");
    Arc::new(store)
}

async fn recovers(store: &Database, user: &User) {
    let mut tries = 0;
    while store.user(user.id).await.is_err() {
        tries += 1;
        assert!(tries < 20, "the store does not find its way back");
        tokio::time::sleep(Duration::from_millis(250)).await;
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
