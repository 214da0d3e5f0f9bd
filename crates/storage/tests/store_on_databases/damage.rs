//! Rows that cannot be read: they harm nothing else, and are named once.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use countersign_domain::model::{
    Caller, CallerKey, CallerName, KeyHash, KeyState, Role, SealedSigningKey, SessionId, Timestamp,
};
use countersign_domain::ports::{
    Callers as _, Outbox as _, Sessions as _, SigningKeys as _, Store as _, StoreError, Users as _,
};
use countersign_domain::testing::whole_feed;
use countersign_storage::Database;
use countersign_token::Algorithm;
use tracing_subscriber::fmt::MakeWriter;

use crate::rows::{insert, insert_sessions, new_message, new_user, open, run_sql};

const CREATED_AT: Timestamp = Timestamp::from_seconds(1_790_000_000);

/// What was logged.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn take(&self) -> String {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8(std::mem::take(&mut *log)).expect("text")
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Logs of this thread from now on.
pub(crate) fn listen() -> (Log, tracing::subscriber::DefaultGuard) {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(log.clone())
        .with_ansi(false)
        .finish();
    (log, tracing::subscriber::set_default(subscriber))
}

fn key(kid: &str, state: KeyState) -> SealedSigningKey {
    SealedSigningKey {
        kid: kid.into(),
        algorithm: Algorithm::EdDsa,
        state,
        sealed: vec![1, 2, 3],
        created_at: CREATED_AT,
        expires_at: None,
    }
}

/// Damaged signing keys are left out, and can be deleted and replaced.
pub(crate) async fn damaged_signing_keys(url: &str) {
    let store = open(url, 2).await;
    let mut uow = store.begin().await.expect("a unit of work");
    for (kid, state) in [
        ("good", KeyState::Active),
        ("bad-next", KeyState::Next),
        ("bad-retired", KeyState::Retired),
    ] {
        uow.insert_signing_key(&key(kid, state))
            .await
            .expect("a new key");
    }
    uow.commit().await.expect("committed");
    run_sql(
        url,
        "UPDATE signing_keys SET algorithm = 'canary' WHERE kid = 'bad-retired'",
    )
    .await;
    run_sql(
        url,
        "UPDATE signing_keys SET state = 'canary' WHERE kid = 'bad-next'",
    )
    .await;

    let (log, _guard) = listen();
    for _ in 0..5 {
        let keys = store.signing_keys().await.expect("readable");
        assert_eq!(keys, [key("good", KeyState::Active)]);
    }
    let logged = log.take();
    assert_eq!(logged.lines().count(), 2, "{logged}");
    for part in [
        "bad-next",
        "signing_keys.state",
        "bad-retired",
        "signing_keys.algorithm",
    ] {
        assert_eq!(logged.matches(part).count(), 1, "{part}: {logged}");
    }
    assert!(!logged.contains("canary"), "{logged}");

    let mut uow = store.begin().await.expect("a unit of work");
    assert!(
        uow.delete_signing_key("bad-retired")
            .await
            .expect("an answer")
    );
    let cleared = uow.clear_signing_key_state(KeyState::Next).await;
    assert!(
        cleared.expect("an answer"),
        "it held the place all the same"
    );
    let next = key("new-next", KeyState::Next);
    uow.insert_signing_key(&next)
        .await
        .expect("the place is free");
    uow.commit().await.expect("committed");
    let keys = store.signing_keys().await.expect("readable");
    assert_eq!(keys.len(), 2);
}

/// A damaged caller leaves the others their keys.
pub(crate) async fn damaged_callers(url: &str) {
    let store = open(url, 2).await;
    let key = |secret: &str, expires_at| CallerKey {
        hash: KeyHash::of(secret),
        created_at: CREATED_AT,
        expires_at,
        last_used_at: None,
    };
    let caller = |name: &str| Caller {
        name: CallerName::parse(name).expect("a name"),
        roles: vec![Role::Service],
        keys: vec![key(name, None), key(&format!("{name}-2"), Some(CREATED_AT))],
        sans: vec![],
        created_at: CREATED_AT,
    };
    let mut uow = store.begin().await.expect("a unit of work");
    for name in ["good", "bad"] {
        uow.insert_caller(&caller(name))
            .await
            .expect("a new caller");
    }
    uow.commit().await.expect("committed");
    run_sql(
        url,
        "UPDATE callers SET roles = 'service canary' WHERE name = 'bad'",
    )
    .await;

    let (log, _guard) = listen();
    for _ in 0..3 {
        let callers = store.callers().await.expect("readable");
        assert_eq!(callers.readable, [caller("good")]);
        assert_eq!(callers.unreadable, ["bad"]);
    }
    let logged = log.take();
    assert_eq!(logged.lines().count(), 1, "{logged}");
    assert!(
        logged.contains("callers.roles") && logged.contains("bad"),
        "{logged}"
    );
    assert!(!logged.contains("canary"), "{logged}");
    let mut uow = store.begin().await.expect("a unit of work");
    let deleted = uow.delete_caller(&caller("bad").name).await;
    assert!(deleted.expect("an answer"));
    uow.commit().await.expect("committed");
    damaged_key(url, &store, caller("good")).await;
}

/// A damaged key leaves its caller the other one, and goes with the caller. The
/// columns of MySQL take no such damage.
async fn damaged_key(url: &str, store: &Database, mut good: Caller) {
    let short = match url.split_once(':') {
        Some(("mysql", _)) => return,
        Some(("postgres", _)) => "'\\x63616e617279'::bytea",
        _ => "x'63616e617279'",
    };
    let spoil = format!("UPDATE caller_keys SET key_hash = {short} WHERE caller = 'good'");
    run_sql(url, &spoil).await;
    good.keys.truncate(1);
    let (log, _guard) = listen();
    for _ in 0..3 {
        let callers = store.callers().await.expect("readable");
        assert_eq!(callers.readable, std::slice::from_ref(&good));
        assert_eq!(callers.incomplete, ["good"]);
    }
    let logged = log.take();
    assert_eq!(logged.lines().count(), 1, "{logged}");
    assert!(
        logged.contains("caller_keys.key_hash") && logged.contains("good"),
        "{logged}"
    );
    assert!(!logged.contains("canary"), "{logged}");
    let mut uow = store.begin().await.expect("a unit of work");
    assert!(uow.delete_caller(&good.name).await.expect("an answer"));
    uow.insert_caller(&good).await.expect("a new one");
    uow.commit().await.expect("committed");
    let callers = store.callers().await.expect("readable");
    assert_eq!(callers, vec![good].into());
}

/// A damaged session or user fails alone, named by its column; so in a batch.
pub(crate) async fn damaged_sessions(url: &str) {
    let store = open(url, 2).await;
    let (user, sessions) = insert_sessions(&store, 8).await;
    let bad = &sessions[3];
    let literal = literal(url, bad.id);
    let spoil = format!("UPDATE sessions SET methods = 'pwd canary' WHERE id = {literal}");
    run_sql(url, &spoil).await;
    let mut tasks = tokio::task::JoinSet::new();
    for session in sessions.clone() {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            let found = store.session_with_user(session.id).await;
            (session.id, found)
        });
    }
    for (id, found) in tasks.join_all().await {
        if id == bad.id {
            assert_corrupt(found, "sessions.methods");
        } else {
            let (_, its_user) = found.expect("readable").expect("it is there");
            assert_eq!(its_user, user);
        }
    }
    assert_corrupt(store.session(bad.id).await, "sessions.methods");
    // It can be ended all the same.
    let mut uow = store.begin().await.expect("a unit of work");
    let revoked = uow.revoke_session(bad.id, user.created_at).await;
    assert!(revoked.expect("an answer").is_some());
    uow.commit().await.expect("committed");
    users(url, &store).await;
}

/// An id as a statement writes it.
pub(crate) fn literal(url: &str, id: SessionId) -> String {
    literal_of(url, id.as_bytes())
}

/// Bytes as a statement writes them.
pub(crate) fn literal_of(url: &str, bytes: &[u8]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    match url.split_once(':') {
        Some(("postgres", _)) => format!("'\\x{hex}'::bytea"),
        _ => format!("x'{hex}'"),
    }
}

async fn users(url: &str, store: &Database) {
    let user = new_user(77);
    insert(store, &user).await.expect("inserted");
    run_sql(url, "UPDATE users SET state = 'canary'").await;
    assert_corrupt(store.user(user.id).await, "users.state");
    assert_corrupt(store.account(user.id).await, "users.state");
}

/// A damaged message is in nobody's way.
pub(crate) async fn damaged_messages(url: &str) {
    let store = open(url, 2).await;
    let (bad, good) = (new_message(1), new_message(2));
    store.enqueue(&bad).await.expect("queued");
    run_sql(url, "UPDATE outbox SET kind = 'canary'").await;
    store.enqueue(&good).await.expect("queued");

    let (log, _guard) = listen();
    let now = good.created_at;
    let mut claimed = Vec::new();
    for _ in 0..3 {
        // One at a time: it must not be the damaged one for ever.
        let claim = store.claim_messages(now, now, 1).await;
        claimed.extend(claim.expect("an answer"));
    }
    assert!(claimed.iter().all(|claimed| claimed.message == good));
    assert!(!claimed.is_empty());
    let logged = log.take();
    assert_eq!(logged.lines().count(), 1, "{logged}");
    assert!(logged.contains("outbox.kind"), "{logged}");
    assert!(!logged.contains("canary"), "{logged}");
}

/// Revocations whose id is none are left out.
pub(crate) async fn damaged_revocations(url: &str, insertion: &str) {
    let store = open(url, 2).await;
    let (user, sessions) = insert_sessions(&store, 1).await;
    let mut uow = store.begin().await.expect("a unit of work");
    let revoked = uow.revoke_session(sessions[0].id, user.created_at).await;
    let revocation = revoked.expect("an answer").expect("it was live");
    uow.commit().await.expect("committed");
    run_sql(url, insertion).await;

    let (log, _guard) = listen();
    let beginning = Timestamp::from_millis(0);
    for _ in 0..3 {
        let feed = whole_feed(&*store, beginning, user.created_at).await;
        assert_eq!(feed.expect("readable"), [revocation]);
    }
    let logged = log.take();
    assert_eq!(logged.lines().count(), 1, "{logged}");
    assert!(logged.contains("revocations.session_id"), "{logged}");
}

fn assert_corrupt<T: std::fmt::Debug>(answer: Result<T, StoreError>, column: &str) {
    match answer {
        Err(StoreError::Corrupt(text)) => {
            assert!(text.contains(column), "{text}");
            assert!(!text.to_lowercase().contains("canary"), "{text}");
        }
        answer => panic!("{answer:?}"),
    }
}
