//! Bringing the tables up to date: at once, interrupted, and by releases old and
//! new.

use std::time::Duration;

use countersign_domain::model::{
    Reauthentication, Suspension, SuspensionReason, User, UserState, Withdrawal,
};
use countersign_domain::ports::{Sessions as _, Store as _, StoreError, Users as _};

use crate::rows::{connect, count, insert, insert_sessions, new_user, open, rotate, run_sql};

/// Several servers that start at once bring the tables up to date, once.
pub(crate) async fn migrations_at_once(url: &str) {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let url = url.to_owned();
        tasks.spawn(async move {
            let store = connect(&url, 2).await;
            store.migrate().await.expect("migrated");
            let pending = store.pending_migrations().await.expect("a list");
            assert_eq!(pending, [""; 0]);
            store.close().await;
        });
    }
    tasks.join_all().await;
    let store = connect(url, 2).await;
    store.migrate().await.expect("migrating again is fine");
    insert(&store, &new_user(1))
        .await
        .expect("the tables are there");
}

/// What is pending is told before the tables exist.
pub(crate) async fn pending_before_and_after(url: &str) {
    let store = connect(url, 2).await;
    let pending = store.pending_migrations().await.expect("a list");
    assert_eq!(
        pending,
        [
            "m0001_create_tables",
            "m0002_create_caller_keys",
            "m0003_create_caller_sans",
            "m0004_create_factors",
            "m0005_add_passkeys",
            "m0006_create_devices",
            "m0007_add_authentication_times",
            "m0008_create_identifier_undos",
            "m0009_index_outbox_by_kind",
            "m0010_add_enrolling_authentications",
            "m0011_add_user_profiles",
            "m0012_create_groups",
            "m0013_create_service_accounts",
            "m0014_create_audit_events",
            "m0015_create_federated_identities"
        ]
    );
    let before = store.user(new_user(1).id).await;
    assert!(matches!(before, Err(StoreError::Unavailable(text)) if text.contains("users")));
    store.migrate().await.expect("migrated");
    let pending = store.pending_migrations().await.expect("a list");
    assert_eq!(pending, [""; 0]);
}

/// A start that is interrupted leaves a database that the next one migrates.
/// Tells whether it was.
pub(crate) async fn an_interrupted_migration(url: &str, after: Duration) -> bool {
    let interrupted = {
        let store = connect(url, 1).await;
        tokio::time::timeout(after, store.migrate()).await.is_err()
    };
    let store = open(url, 1).await;
    insert(&store, &new_user(1))
        .await
        .expect("the tables are there");
    store.ping().await.expect("the heartbeat's row is there");
    store.close().await;
    interrupted
}

/// A process that dies after a change of a table, before that is noted, leaves it to
/// be made again.
pub(crate) async fn a_migration_made_twice(url: &str) {
    let store = open(url, 2).await;
    insert(&store, &new_user(1)).await.expect("inserted");
    run_sql(url, "DELETE FROM schema_versions WHERE version > 6").await;
    store.migrate().await.expect("migrated again");
    let pending = store.pending_migrations().await.expect("a list");
    assert_eq!(pending, [""; 0]);
    let user = store.user(new_user(1).id).await.expect("readable");
    assert!(user.is_some());
}

/// A session that a release before has written, which knows no time of the
/// authentication, is one of its sign-in; and goes on as any other.
pub(crate) async fn sessions_of_the_release_before(url: &str) {
    let store = open(url, 2).await;
    let (_, sessions) = insert_sessions(&store, 2).await;
    run_sql(url, "UPDATE sessions SET authenticated_at = NULL").await;
    let [first, second] = &sessions[..] else {
        panic!("two sessions");
    };
    let stored = store.session(first.id).await.expect("readable");
    let stored = stored.expect("it is there");
    assert_eq!(stored.authenticated_at, first.created_at);
    assert_eq!(&stored, first);

    let rotated = rotate(store.clone(), first.clone(), 1).await;
    assert!(rotated.expect("an answer"));
    let at = first.created_at.plus(Duration::from_secs(60));
    let change = Reauthentication {
        at,
        methods: Vec::new(),
        access_expires_at: first.access_expires_at,
    };
    let mut uow = store.begin().await.expect("a unit of work");
    let written = uow.reauthenticate_session(second.id, &change, first.created_at);
    assert!(written.await.expect("an answer"));
    uow.commit().await.expect("committed");
    let stored = store.session(second.id).await.expect("readable");
    assert_eq!(stored.expect("it is there").authenticated_at, at);
    let rotated = rotate(store.clone(), second.clone(), 1).await;
    assert!(!rotated.expect("an answer"), "it starts from the sign-in");
}

/// A user that a release before has written is read and changed as any other; and to
/// that release, which reads `state` alone, who is blocked is pending.
pub(crate) async fn users_of_the_release_before(url: &str) {
    let store = open(url, 2).await;
    let user = new_user(1);
    insert(&store, &user).await.expect("inserted");
    run_sql(url, "UPDATE users SET revision = NULL, updated_at = NULL").await;
    let stored = store.user(user.id).await.expect("readable");
    assert_eq!(stored.as_ref(), Some(&user));

    let suspension = Suspension {
        reason: SuspensionReason::default(),
        since: user.created_at,
        until: None,
    };
    let withdrawal = Withdrawal {
        at: user.created_at,
        rejoin_at: user.created_at,
        erased: false,
    };
    for state in [
        UserState::Suspended(suspension),
        UserState::Withdrawn(withdrawal),
    ] {
        let blocked = User {
            state,
            ..user.clone()
        };
        let mut uow = store.begin().await.expect("a unit of work");
        uow.update_user(&blocked).await.expect("written");
        uow.commit().await.expect("committed");
        let pending = count(url, "SELECT COUNT(*) FROM users WHERE state = 'pending'").await;
        assert_eq!(pending, 1);
        let stored = store.user(user.id).await.expect("readable");
        assert_eq!(stored, Some(blocked));
    }
}

/// This release works with newer tables that say that it can, and names both
/// versions of those that say that it cannot.
pub(crate) async fn newer_tables(url: &str) {
    let store = open(url, 2).await;
    let version = |version: i64, compatible_from: i64| {
        format!(
            "INSERT INTO schema_versions (version, name, compatible_from, applied_at) \
             VALUES ({version}, 'm{version:04}_of_the_future', {compatible_from}, 1)"
        )
    };
    run_sql(url, &version(16, 1)).await;
    store.migrate().await.expect("they are compatible");
    let pending = store.pending_migrations().await.expect("a list");
    assert_eq!(pending, [""; 0]);
    insert(&store, &new_user(1)).await.expect("inserted");

    run_sql(url, &version(17, 16)).await;
    let refusals = [
        store.migrate().await.err(),
        store.pending_migrations().await.err(),
    ];
    for refusal in refusals {
        let text = refusal.expect("a refusal").to_string();
        for part in ["version 17", "version 16", "version 15"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
