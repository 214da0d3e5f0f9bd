//! Threads that work on a SQLite file concede to the threads of calls; those that open it
//! keep their own priority.
#![cfg(target_os = "linux")]

use std::fs;

use countersign_storage::database::{Database, DatabaseSettings};

/// What a thread concedes: its niceness, as proc(5) tells it.
fn niceness(stat: &str) -> i32 {
    let (_, after) = stat.rsplit_once(')').expect("a name in parentheses");
    let field = after.split_whitespace().nth(16).expect("a niceness");
    field.parse().expect("a number")
}

#[tokio::test]
async fn threads_of_a_file_are_nice_and_no_others() {
    let own = rustix::process::nice(0).expect("a niceness");
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("countersign.db");
    let settings = DatabaseSettings::new(format!("sqlite://{}?mode=rwc", file.display()));
    let database = Database::connect(&settings).await.expect("opened");
    database.migrate().await.expect("tables");

    let mut of_sqlite = Vec::new();
    for task in fs::read_dir("/proc/self/task").expect("procfs") {
        // A thread may end meanwhile.
        let path = task.expect("a task").path();
        let Ok(stat) = fs::read_to_string(path.join("stat")) else {
            continue;
        };
        if stat.contains("(sqlx-sqlite-") {
            of_sqlite.push(niceness(&stat));
        }
    }
    assert!(!of_sqlite.is_empty(), "a connection has a thread");
    let conceded = (own + 10).min(19);
    assert!(
        of_sqlite.iter().all(|nice| *nice == conceded),
        "{of_sqlite:?}"
    );
    assert_eq!(rustix::process::nice(0).expect("a niceness"), own);
    database.close().await;
}
