//! What the tests write, and raw SQL for what the store would not.

use std::sync::Arc;
use std::time::Duration;

use countersign_domain::model::{
    ClientContext, GroupId, MessageId, MessageKind, QueuedMessage, Rotation, Session, SessionId,
    Timestamp, User, UserId,
};
use countersign_domain::ports::{Sessions as _, Store as _, StoreError};
use countersign_domain::testing::SeededRandom;
use countersign_storage::{Database, DatabaseSettings};
use sea_orm::{ConnectionTrait as _, Statement};

/// Opens a database.
pub(crate) async fn connect(url: &str, max_connections: u32) -> Database {
    let settings = DatabaseSettings {
        max_connections,
        ..DatabaseSettings::new(url)
    };
    Database::connect(&settings).await.expect("a database")
}

/// Opens a database and brings its tables up to date.
pub(crate) async fn open(url: &str, max_connections: u32) -> Arc<Database> {
    let store = connect(url, max_connections).await;
    store.migrate().await.expect("migrated");
    Arc::new(store)
}

/// Runs SQL past the store.
pub(crate) async fn run_sql(url: &str, sql: &str) {
    let other = sea_orm::Database::connect(url).await;
    let other = other.expect("the same database");
    let done = other.execute_unprepared(sql).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    other.close().await.expect("closed");
}

/// The number that a query finds, past the store.
pub(crate) async fn count(url: &str, query: &str) -> i64 {
    let other = sea_orm::Database::connect(url).await;
    let other = other.expect("the same database");
    let query = Statement::from_string(other.get_database_backend(), query);
    let row = other.query_one_raw(query).await.expect("an answer");
    let count = row.expect("a row").try_get_by_index(0).expect("a number");
    other.close().await.expect("closed");
    count
}

/// A user that is in no database yet.
pub(crate) fn new_user(seed: u64) -> User {
    let now = Timestamp::from_seconds(1_790_000_000);
    let id = UserId::generate(now, &SeededRandom::new(seed));
    User::active(id, GroupId::fallback(), now)
}

pub(crate) async fn insert(store: &Database, user: &User) -> Result<(), StoreError> {
    let mut uow = store.begin().await?;
    uow.insert_user(user).await?;
    uow.commit().await
}

/// A session that is in no database yet.
pub(crate) fn new_session(user: &User, seed: u64) -> Session {
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
        access_expires_at: later,
        created_at: user.created_at,
        authenticated_at: user.created_at,
        expires_at: later,
        ends_at: later,
        revoked_at: None,
    }
}

/// A new user with so many sessions.
pub(crate) async fn insert_sessions(store: &Database, number: u64) -> (User, Vec<Session>) {
    let user = new_user(1);
    let sessions: Vec<_> = (0..number).map(|seed| new_session(&user, seed)).collect();
    let mut uow = store.begin().await.expect("a unit of work");
    uow.insert_user(&user).await.expect("inserted");
    for session in &sessions {
        uow.insert_session(session).await.expect("inserted");
    }
    uow.commit().await.expect("committed");
    (user, sessions)
}

/// Rotates a session from a generation to the next.
pub(crate) async fn rotate(
    store: Arc<Database>,
    session: Session,
    from: i64,
) -> Result<bool, StoreError> {
    let rotation = Rotation {
        from,
        authenticated_at: session.authenticated_at,
        to: from + 1,
        parent: from,
        minted_at: session.minted_at,
        access_expires_at: session.access_expires_at,
        expires_at: session.expires_at,
    };
    store.rotate(session.id, rotation).await
}

/// A message that is in no outbox yet.
pub(crate) fn new_message(seed: u64) -> QueuedMessage {
    let now = Timestamp::from_seconds(1_790_000_000);
    QueuedMessage {
        id: MessageId::generate(now, &SeededRandom::new(seed)),
        kind: MessageKind::Code,
        sealed: vec![7; 200],
        created_at: now,
        expires_at: now.plus(Duration::from_secs(300)),
    }
}

/// The database's clock and the machine's differ by less than a minute.
pub(crate) async fn assert_time_is_that_of_today(url: &str) {
    let store = connect(url, 1).await;
    let ours = machine_time();
    let its = store.now().await.expect("the time");
    let difference = its.since(ours).max(ours.since(its));
    assert!(difference < Duration::from_secs(60), "{difference:?}");
}

#[expect(
    clippy::disallowed_methods,
    reason = "compares the database's clock with the machine's"
)]
fn machine_time() -> Timestamp {
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp::from_millis(0).plus(since_1970.expect("the machine's clock is set"))
}
