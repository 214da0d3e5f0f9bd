//! The store on SQLite, in a file and in memory, and what shares its file.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use countersign_domain::model::{PasswordCredential, PasswordHash};
use countersign_domain::ports::{Outbox as _, Store as _, StoreError, Users as _};
use countersign_storage::BackupError;
use tempfile::TempDir;

use crate::rows::{
    assert_time_is_that_of_today, connect, insert, new_message, new_user, open, run_sql,
};
use crate::{audit_log, batches, damage, damaged_accounts, many_users, schema};

mod in_a_file {
    use countersign_domain::testing::store_laws::{StoreSubject, Tenancy};

    async fn set_up(_: Tenancy) -> Option<StoreSubject> {
        let file = super::File::new();
        let store = crate::rows::open(&file.url, 8).await;
        Some(StoreSubject::new(store, file))
    }

    countersign_domain::store_laws!(set_up);
}

mod in_memory {
    use countersign_domain::testing::store_laws::{StoreSubject, Tenancy};

    async fn set_up(_: Tenancy) -> Option<StoreSubject> {
        let store = crate::rows::open("sqlite::memory:", 8).await;
        Some(StoreSubject::new(store, ()))
    }

    countersign_domain::store_laws!(set_up);
}

/// A file in a directory of its own.
struct File {
    directory: TempDir,
    url: String,
}

impl File {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("countersign.db");
        let url = format!("sqlite://{}?mode=rwc", file.display());
        Self { directory, url }
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

#[tokio::test]
async fn a_file_survives_reopening() {
    let file = File::new();
    let user = new_user(1);
    let store = open(&file.url, 8).await;
    insert(&store, &user).await.expect("inserted");
    store.close().await;

    let store = connect(&file.url, 8).await;
    let pending = store.pending_migrations().await.expect("a list");
    assert_eq!(pending, [""; 0]);
    let found = store.user(user.id).await.expect("readable");
    assert_eq!(found, Some(user));
}

/// Reading first and writing then fails for whoever began with less than the
/// intention to write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn units_of_work_of_several_openers_wait_for_each_other() {
    let file = File::new();
    let user = new_user(1);
    let mut tasks = tokio::task::JoinSet::new();
    let first = open(&file.url, 8).await;
    insert(&first, &user).await.expect("inserted");
    for _ in 0..4 {
        let store = open(&file.url, 8).await;
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
    let user = first.user(user.id).await.expect("readable");
    let version = user.map(|user| user.credential_version);
    assert_eq!(version, Some(100));
}

#[tokio::test]
async fn a_second_opener_reads_and_writes_the_same_file() {
    let file = File::new();
    let first = open(&file.url, 8).await;
    let second = open(&file.url, 8).await;
    for round in 0..20 {
        let (one, two) = (new_user(2 * round), new_user(2 * round + 1));
        let (done, also_done) = tokio::join!(insert(&first, &one), insert(&second, &two));
        done.expect("inserted");
        also_done.expect("inserted");
        assert_eq!(first.user(two.id).await.expect("readable"), Some(two));
        assert_eq!(second.user(one.id).await.expect("readable"), Some(one));
    }
}

/// Whoever would be answered otherwise would lose what was acknowledged.
#[tokio::test]
async fn a_file_that_is_removed_or_replaced_takes_nothing_until_it_is_opened_again() {
    for is_replaced in [false, true] {
        let file = File::new();
        let store = open(&file.url, 8).await;
        insert(&store, &new_user(1)).await.expect("inserted");
        store.ping().await.expect("an answer");

        let aside = file.beside("aside.db");
        let path = file.beside("countersign.db");
        fs::rename(&path, &aside).expect("moved");
        if is_replaced {
            connect(&file.url, 1).await.close().await;
            assert!(path.exists());
        }
        let unavailable = |outcome: Result<(), StoreError>| {
            assert!(
                matches!(outcome, Err(StoreError::Unavailable(_))),
                "{outcome:?}"
            );
        };
        unavailable(insert(&store, &new_user(2)).await);
        unavailable(store.ping().await);
        unavailable(store.user(new_user(1).id).await.map(drop));
        unavailable(store.enqueue(&new_message(1)).await);
        assert_eq!(path.exists(), is_replaced, "none is created in its place");

        fs::rename(&aside, &path).expect("put back");
        unavailable(insert(&store, &new_user(2)).await);
        store.close().await;
        let store = connect(&file.url, 8).await;
        insert(&store, &new_user(2)).await.expect("inserted");
    }
}

/// A ping finds out whether the file can be written, not only read.
#[tokio::test]
async fn a_ping_waits_for_its_turn_to_write_and_gives_up() {
    let file = File::new();
    let store = open(&file.url, 8).await;
    store.ping().await.expect("an answer");
    let other = open(&file.url, 8).await;
    let uow = other.begin().await.expect("a unit of work");
    let refused = store.ping().await;
    assert!(refused.is_err(), "somebody else is writing");
    drop(uow);
    store.ping().await.expect("an answer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_may_create_and_migrate_a_file_at_once() {
    for _ in 0..5 {
        let file = Arc::new(File::new());
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..6 {
            let file = Arc::clone(&file);
            tasks.spawn(async move {
                let store = open(&file.url, 8).await;
                insert(&store, &new_user(number)).await.expect("inserted");
            });
        }
        tasks.join_all().await;
    }
}

#[tokio::test]
async fn pending_migrations_are_told() {
    schema::pending_before_and_after(&File::new().url).await;
}

#[tokio::test]
async fn sessions_of_the_release_before_are_read() {
    schema::sessions_of_the_release_before(&File::new().url).await;
}

#[tokio::test]
async fn users_of_the_release_before_are_read() {
    schema::users_of_the_release_before(&File::new().url).await;
}

#[tokio::test]
#[ignore = "it writes a million rows: a minute"]
async fn a_million_users_are_listed() {
    many_users::listed(&File::new().url).await;
}

#[tokio::test]
#[ignore = "it writes a million rows: a minute"]
async fn a_million_audit_events_are_listed() {
    audit_log::a_million_events(&File::new().url).await;
}

#[tokio::test]
async fn damaged_audit_events_are_left_out() {
    audit_log::damaged_events(&File::new().url).await;
}

#[tokio::test]
async fn newer_tables_may_be_compatible() {
    schema::newer_tables(&File::new().url).await;
}

#[tokio::test]
async fn an_interrupted_migration_is_repeated() {
    for moment in 0..12 {
        let file = File::new();
        let after = Duration::from_millis(moment);
        schema::an_interrupted_migration(&file.url, after).await;
    }
}

#[tokio::test]
async fn the_time_is_that_of_today() {
    assert_time_is_that_of_today(&File::new().url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_connection_is_enough() {
    batches::one_connection(&File::new().url).await;
}

#[tokio::test]
async fn a_refused_rotation_fails_alone() {
    batches::a_refused_rotation(&File::new().url).await;
}

#[tokio::test]
async fn damaged_signing_keys_are_left_out() {
    damage::damaged_signing_keys(&File::new().url).await;
}

#[tokio::test]
async fn damaged_callers_are_left_out() {
    damage::damaged_callers(&File::new().url).await;
}

#[tokio::test]
async fn damaged_sessions_fail_alone() {
    damage::damaged_sessions(&File::new().url).await;
}

#[tokio::test]
async fn damaged_sessions_are_in_no_list() {
    damaged_accounts::damaged_sessions_in_lists(&File::new().url).await;
}

#[tokio::test]
async fn damaged_ids_keep_nobody_from_being_erased() {
    damaged_accounts::damaged_ids_of_due_users(&File::new().url).await;
}

#[tokio::test]
async fn sessions_with_unreadable_numbers_end_with_the_others() {
    damaged_accounts::sessions_with_unreadable_numbers(&File::new().url).await;
}

#[tokio::test]
async fn damaged_numbers_keep_no_device_out() {
    damaged_accounts::damaged_numbers_of_devices(&File::new().url).await;
}

#[tokio::test]
async fn times_that_cannot_be_told_damage_their_row() {
    damaged_accounts::times_that_cannot_be_told(&File::new().url).await;
}

#[tokio::test]
async fn damaged_failures_lock_until_a_reset() {
    damaged_accounts::damaged_failures(&File::new().url).await;
}

#[tokio::test]
async fn damaged_messages_are_in_nobodys_way() {
    damage::damaged_messages(&File::new().url).await;
}

#[tokio::test]
async fn damaged_revocations_are_left_out() {
    let insertion = "INSERT INTO revocations VALUES (x'0102', 5, 9999999999999)";
    damage::damaged_revocations(&File::new().url, insertion).await;
}

/// SQLite's columns take values of any type.
#[tokio::test]
async fn a_value_of_another_type_is_named_by_its_column_alone() {
    let file = File::new();
    let store = open(&file.url, 8).await;
    let user = new_user(1);
    insert(&store, &user).await.expect("inserted");
    let mut uow = store.begin().await.expect("a unit of work");
    let password = PasswordHash::new("hash".into());
    let password = PasswordCredential::new(user.id, password, user.created_at);
    uow.put_credential(&password).await.expect("a password");
    uow.commit().await.expect("committed");
    for (table, assignment, column) in [
        (
            "credentials",
            "updated_at = 'canary'",
            "credentials.updated_at",
        ),
        ("users", "state = 'canary'", "users.state"),
        (
            "users",
            "state = 'active', created_at = 'canary'",
            "users.created_at",
        ),
        (
            "users",
            "created_at = 1, group_id = 'CANARY'",
            "users.group_id",
        ),
    ] {
        run_sql(&file.url, &format!("UPDATE {table} SET {assignment}")).await;
        match store.account(user.id).await {
            Err(StoreError::Corrupt(text)) => {
                assert!(text.contains(column), "{text}");
                assert!(!text.to_lowercase().contains("canary"), "{text}");
            }
            answer => panic!("{column}: {answer:?}"),
        }
    }
}

/// While it is written to; alone for its owner; complete.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_a_database_of_one_moment() {
    let file = File::new();
    let store = open(&file.url, 8).await;
    for seed in 0..20 {
        insert(&store, &new_user(seed)).await.expect("inserted");
    }
    let writer = {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for seed in 20..60 {
                insert(&store, &new_user(seed)).await.expect("inserted");
            }
        })
    };
    let path = file.beside("backup.db");
    store.backup(&path).await.expect("a backup");
    writer.await.expect("writing goes on");

    assert_is_private(&path);
    let copy = connect(&format!("sqlite://{}", path.display()), 1).await;
    let pending = copy.pending_migrations().await.expect("a list");
    assert_eq!(pending, [""; 0]);
    let mut copied = Vec::new();
    for seed in 0..60 {
        let found = copy.user(new_user(seed).id).await.expect("readable");
        copied.push(found.is_some());
    }
    assert!(copied[..20].iter().all(|is_there| *is_there));
    assert!(copied.is_sorted_by(|a, b| a >= b), "{copied:?}");
}

#[cfg(unix)]
fn assert_is_private(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(path).expect("the backup").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn a_backup_takes_no_files_place() {
    let file = File::new();
    let store = open(&file.url, 8).await;
    let path = file.beside("backup.db");
    fs::write(&path, "precious").expect("written");
    let refused = store.backup(&path).await;
    assert!(matches!(refused, Err(BackupError::File(..))), "{refused:?}");
    assert_eq!(fs::read_to_string(&path).expect("readable"), "precious");
    let nowhere = store.backup(&file.beside("no/such/directory.db")).await;
    assert!(matches!(nowhere, Err(BackupError::File(..))), "{nowhere:?}");
}
