//! Requests that share a commit, and those that must not wait for each other.

use std::sync::Arc;
use std::time::Duration;

use countersign_domain::ports::{Outbox as _, Sessions as _, Store as _, StoreError, Users as _};
use countersign_storage::Database;
use tokio::task::JoinSet;

use crate::rows::{count, insert_sessions, new_message, new_user, open, rotate, run_sql};

/// How long what does not wait may take.
const IN_TIME: Duration = Duration::from_secs(3);

/// While somebody ends a session, all others can be refreshed; the refresh of
/// that one waits and then finds what has become of it.
pub(crate) async fn a_locked_session(url: &str) {
    let store = open(url, 8).await;
    let (user, sessions) = insert_sessions(&store, 40).await;
    let (locked, others) = sessions.split_first().expect("forty sessions");
    let mut uow = store.begin().await.expect("a unit of work");
    let ended = uow.revoke_session(locked.id, user.created_at).await;
    assert!(ended.expect("an answer").is_some());

    let mut waiting = JoinSet::new();
    for _ in 0..3 {
        waiting.spawn(rotate(Arc::clone(&store), locked.clone(), 1));
    }
    for round in 1..4 {
        let mut tasks = JoinSet::new();
        for session in others {
            tasks.spawn(rotate(Arc::clone(&store), session.clone(), round));
        }
        let rotated = tokio::time::timeout(IN_TIME, tasks.join_all()).await;
        let rotated = rotated.expect("they do not wait");
        assert!(
            rotated
                .into_iter()
                .all(|rotated| rotated.expect("an answer"))
        );
    }
    assert!(waiting.try_join_next().is_none(), "it did not wait");
    uow.commit().await.expect("committed");
    for rotated in waiting.join_all().await {
        assert!(!rotated.expect("an answer"));
    }
}

/// Whoever waits for a lock for too long is told that it may be tried again.
pub(crate) async fn a_lock_that_is_held_for_long(url: &str) {
    let store = open(url, 4).await;
    let user = new_user(1);
    let mut uow = store.begin().await.expect("a unit of work");
    uow.insert_user(&user).await.expect("inserted");
    uow.commit().await.expect("committed");
    let mut first = store.begin().await.expect("a unit of work");
    let locked = first.lock_user(user.id).await.expect("readable");
    assert!(locked.is_some());
    let mut second = store.begin().await.expect("a unit of work");
    let refused = second.lock_user(user.id).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    drop(second);
    first.commit().await.expect("the first is not disturbed");
}

/// One connection in the pool is enough for everything at once.
pub(crate) async fn one_connection(url: &str) {
    let store = open(url, 1).await;
    let (user, sessions) = insert_sessions(&store, 24).await;
    for round in 1..4 {
        let mut tasks = JoinSet::new();
        for (number, session) in (0..).zip(sessions.clone()) {
            tasks.spawn(refresh(Arc::clone(&store), session, round));
            let (store, message) = (
                Arc::clone(&store),
                new_message(number + 1000 * round as u64),
            );
            tasks.spawn(async move { store.enqueue(&message).await });
        }
        for number in 0..4 {
            let store = Arc::clone(&store);
            let newcomer = new_user(100 * round as u64 + number);
            tasks.spawn(async move {
                let mut uow = store.begin().await?;
                uow.insert_user(&newcomer).await?;
                uow.commit().await?;
                store.ping().await?;
                store.now().await.map(drop)
            });
        }
        let done = tokio::time::timeout(IN_TIME * 3, tasks.join_all()).await;
        for done in done.expect("nobody waits for ever") {
            done.expect("an answer");
        }
    }
    let found = store.user(user.id).await.expect("readable");
    assert_eq!(found, Some(user));
}

/// A session whose change the database refuses fails alone, whoever shares a
/// batch with it.
pub(crate) async fn a_refused_rotation(url: &str) {
    let store = open(url, 4).await;
    let (_, sessions) = insert_sessions(&store, 24).await;
    let refused = sessions[7].id;
    run_sql(url, &refusal(url, &refused.as_bytes()[..])).await;
    for round in 1..4 {
        let mut tasks = JoinSet::new();
        for session in sessions.clone() {
            let store = Arc::clone(&store);
            // It stays where it is.
            let from = if session.id == refused { 1 } else { round };
            tasks.spawn(async move { (session.id, rotate(store, session, from).await) });
        }
        for (id, rotated) in tasks.join_all().await {
            if id == refused {
                assert!(
                    matches!(rotated, Err(StoreError::Unavailable(_))),
                    "{rotated:?}"
                );
            } else {
                assert!(rotated.expect("it is none of its business"));
            }
        }
    }
}

/// A trigger that refuses to change one session.
fn refusal(url: &str, id: &[u8]) -> String {
    let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    match url.split_once(':') {
        Some(("sqlite", _)) => format!(
            "CREATE TRIGGER refusal BEFORE UPDATE ON sessions WHEN OLD.id = x'{hex}' \
             BEGIN SELECT RAISE(ABORT, 'refused'); END"
        ),
        Some(("postgres", _)) => format!(
            "CREATE FUNCTION refusal() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'refused'; END $$; \
             CREATE TRIGGER refusal BEFORE UPDATE ON sessions FOR EACH ROW \
             WHEN (OLD.id = '\\x{hex}'::bytea) EXECUTE FUNCTION refusal()"
        ),
        _ => format!(
            "CREATE TRIGGER refusal BEFORE UPDATE ON sessions FOR EACH ROW \
             IF OLD.id = x'{hex}' THEN SIGNAL SQLSTATE '45000'; END IF"
        ),
    }
}

/// What goes through pinned connections does not wait for the pool's only one,
/// and no more than three are held beside it.
pub(crate) async fn a_busy_pool(url: &str) {
    let store = open(url, 1).await;
    let (_, sessions) = insert_sessions(&store, 24).await;
    let busy = store.begin().await.expect("a unit of work");
    let mut tasks = JoinSet::new();
    for (number, session) in (0..).zip(sessions) {
        tasks.spawn(refresh(Arc::clone(&store), session, 1));
        let store = Arc::clone(&store);
        tasks.spawn(async move { store.enqueue(&new_message(number)).await });
    }
    let done = tokio::time::timeout(IN_TIME, tasks.join_all()).await;
    for done in done.expect("nobody waits for the pool") {
        done.expect("an answer");
    }
    let others = "SELECT COUNT(*) FROM pg_stat_activity \
                  WHERE datname = current_database() AND pid <> pg_backend_pid()";
    assert_eq!(count(url, others).await, 4);
    drop(busy);
}

async fn refresh(
    store: Arc<Database>,
    session: countersign_domain::model::Session,
    generation: i64,
) -> Result<(), StoreError> {
    let found = store.session_with_user(session.id).await?;
    assert_eq!(
        found.map(|(session, _)| session.generation),
        Some(generation)
    );
    assert!(rotate(store, session, generation).await?);
    Ok(())
}
