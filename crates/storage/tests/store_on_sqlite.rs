//! The store on SQLite keeps the laws, in a file and in memory, and shares its
//! file with others.

use std::sync::Arc;

use countersign_domain::model::{
    GroupId, PasswordCredential, PasswordHash, Timestamp, User, UserId,
};
use countersign_domain::ports::{Store as _, StoreError};
use countersign_domain::testing::SeededRandom;
use countersign_storage::{Database, DatabaseSettings};
use sea_orm::ConnectionTrait as _;
use tempfile::TempDir;

mod in_a_file {
    use std::sync::Arc;

    use countersign_domain::testing::store_laws::StoreSubject;

    async fn set_up() -> Option<StoreSubject> {
        let directory = tempfile::tempdir().expect("a directory");
        let store = super::open(&super::url(&directory)).await;
        Some(StoreSubject::new(Arc::new(store), directory))
    }

    countersign_domain::store_laws!(set_up);
}

mod in_memory {
    use std::sync::Arc;

    use countersign_domain::testing::store_laws::StoreSubject;

    async fn set_up() -> Option<StoreSubject> {
        let store = super::open("sqlite::memory:").await;
        Some(StoreSubject::new(Arc::new(store), ()))
    }

    countersign_domain::store_laws!(set_up);
}

fn url(directory: &TempDir) -> String {
    let file = directory.path().join("countersign.db");
    format!("sqlite://{}?mode=rwc", file.display())
}

async fn connect(url: &str) -> Database {
    let settings = DatabaseSettings::new(url);
    Database::connect(&settings).await.expect("a database")
}

async fn open(url: &str) -> Database {
    let store = connect(url).await;
    store.migrate().await.expect("migrated");
    store
}

fn new_user(seed: u64) -> User {
    let now = Timestamp::from_seconds(1_790_000_000);
    let id = UserId::generate(now, &SeededRandom::new(seed));
    User::active(id, GroupId::fallback(), now)
}

async fn insert(store: &Database, user: &User) -> Result<(), StoreError> {
    let mut uow = store.begin().await?;
    uow.insert_user(user).await?;
    uow.commit().await
}

#[tokio::test]
async fn a_file_survives_reopening() {
    let directory = tempfile::tempdir().expect("a directory");
    let user = new_user(1);
    let store = open(&url(&directory)).await;
    insert(&store, &user).await.expect("inserted");
    store.close().await;

    let store = connect(&url(&directory)).await;
    let pending = store.pending_migrations().await.expect("a list");
    assert_eq!(pending, [""; 0]);
    let found = store.user(user.id).await.expect("readable");
    assert_eq!(found, Some(user));
}

/// Reading first and writing then fails for whoever began with less than the
/// intention to write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn units_of_work_of_several_openers_wait_for_each_other() {
    let directory = tempfile::tempdir().expect("a directory");
    let user = new_user(1);
    let mut tasks = tokio::task::JoinSet::new();
    let first = open(&url(&directory)).await;
    insert(&first, &user).await.expect("inserted");
    for _ in 0..4 {
        let store = open(&url(&directory)).await;
        let user = user.clone();
        tasks.spawn(async move {
            for _ in 0..25 {
                let mut uow = store.begin().await.expect("a unit of work");
                let locked = uow.lock_user(user.id).await.expect("readable");
                assert!(locked.is_some());
                let password = PasswordHash::new("hash".into());
                let password = PasswordCredential::new(user.id, password, user.created_at);
                uow.put_credential(&password).await.expect("a password");
                uow.commit().await.expect("committed");
            }
        });
    }
    tasks.join_all().await;
}

#[tokio::test]
async fn a_second_opener_reads_and_writes_the_same_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let first = open(&url(&directory)).await;
    let second = open(&url(&directory)).await;
    for round in 0..20 {
        let (one, two) = (new_user(2 * round), new_user(2 * round + 1));
        let (done, also_done) = tokio::join!(insert(&first, &one), insert(&second, &two));
        done.expect("inserted");
        also_done.expect("inserted");
        assert_eq!(first.user(two.id).await.expect("readable"), Some(two));
        assert_eq!(second.user(one.id).await.expect("readable"), Some(one));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_may_create_and_migrate_a_file_at_once() {
    for _ in 0..5 {
        let directory = Arc::new(tempfile::tempdir().expect("a directory"));
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..6 {
            let directory = Arc::clone(&directory);
            tasks.spawn(async move {
                let store = open(&url(&directory)).await;
                insert(&store, &new_user(number)).await.expect("inserted");
            });
        }
        tasks.join_all().await;
    }
}

#[tokio::test]
async fn pending_migrations_are_told() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = connect(&url(&directory)).await;
    let pending = store.pending_migrations().await.expect("a list");
    assert_eq!(pending, ["m0001_create_tables"]);
    let before = store.user(new_user(1).id).await;
    assert!(matches!(before, Err(StoreError::Unavailable(text)) if text.contains("users")));
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_named_by_its_column_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(&url(&directory)).await;
    let user = new_user(1);
    insert(&store, &user).await.expect("inserted");
    let other = sea_orm::Database::connect(url(&directory)).await;
    let other = other.expect("the same database");
    for (assignment, column) in [
        ("state = 'canary'", "users.state"),
        (
            "state = 'active', created_at = 'canary'",
            "users.created_at",
        ),
        ("created_at = 1, group_id = 'CANARY'", "users.group_id"),
    ] {
        let update = format!("UPDATE users SET {assignment}");
        other.execute_unprepared(&update).await.expect("spoilt");
        match store.user(user.id).await {
            Err(StoreError::Corrupt(text)) => {
                assert!(text.contains(column), "{text}");
                assert!(!text.to_lowercase().contains("canary"), "{text}");
            }
            answer => panic!("{answer:?}"),
        }
    }
}
