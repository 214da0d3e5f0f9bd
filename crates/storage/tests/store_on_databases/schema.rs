//! Bringing the tables up to date: at once, interrupted, and by releases old and
//! new.

use std::time::Duration;

use countersign_domain::ports::{Store as _, StoreError, Users as _};

use crate::rows::{connect, insert, new_user, open, run_sql};

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
            "m0006_create_devices"
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
    run_sql(url, &version(8, 1)).await;
    store.migrate().await.expect("they are compatible");
    let pending = store.pending_migrations().await.expect("a list");
    assert_eq!(pending, [""; 0]);
    insert(&store, &new_user(1)).await.expect("inserted");

    run_sql(url, &version(9, 8)).await;
    let refusals = [
        store.migrate().await.err(),
        store.pending_migrations().await.err(),
    ];
    for refusal in refusals {
        let text = refusal.expect("a refusal").to_string();
        for part in ["version 9", "version 8", "version 6"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
