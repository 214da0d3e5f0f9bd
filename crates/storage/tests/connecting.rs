//! What is said about a database that cannot be used: where it is, never the
//! password.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use countersign_storage::{Database, DatabaseSettings};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

async fn refusal(url: &str) -> String {
    let settings = DatabaseSettings {
        connect_timeout: Duration::from_secs(2),
        ..DatabaseSettings::new(url)
    };
    match Database::connect(&settings).await {
        Ok(_) => panic!("{url} was accepted"),
        Err(error) => {
            let shown = format!("{error} {error:?} {settings:?}");
            assert!(!shown.contains("canary"), "{shown}");
            error.to_string()
        }
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_named() {
    for (scheme, name) in [("postgres", "PostgreSQL"), ("mysql", "MySQL")] {
        let url = format!("{scheme}://root:canary@127.0.0.1:1/identity");
        let refusal = refusal(&url).await;
        for part in [name, "identity", "127.0.0.1:1", "refused"] {
            assert!(refusal.contains(part), "{refusal}");
        }
    }
}

#[tokio::test]
async fn a_server_that_stays_silent_is_given_up() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let silent = silent.expect("a port");
    let port = silent.local_addr().expect("an address").port();
    let refusal = refusal(&format!("postgres://root:canary@127.0.0.1:{port}/x")).await;
    assert!(refusal.contains("no answer within 2 s"), "{refusal}");
}

#[tokio::test]
async fn a_server_that_closes_the_connection_or_speaks_something_else_is_told_apart() {
    let closed = "it closed the connection without an answer";
    for (answer, told) in [
        (&b""[..], [closed, closed]),
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            [
                "it does not speak its protocol",
                // MySQL's begins with a length, which this one is short of.
                "it closed the connection in the middle of an answer",
            ],
        ),
    ] {
        for (scheme, told) in ["postgres", "mysql"].into_iter().zip(told) {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
            let listener = listener.expect("a port");
            let port = listener.local_addr().expect("an address").port();
            let server = tokio::spawn(async move {
                while let Ok((mut line, _)) = listener.accept().await {
                    line.write_all(answer).await.ok();
                    line.shutdown().await.ok();
                    // Unread bytes would make it a reset.
                    line.read_to_end(&mut Vec::new()).await.ok();
                }
            });
            let said = refusal(&format!("{scheme}://root:canary@127.0.0.1:{port}/x")).await;
            assert!(said.ends_with(told), "{scheme}: {said}");
            server.abort();
        }
    }
}

#[tokio::test]
async fn an_unknown_scheme_is_named_and_a_secret_is_not() {
    let said = refusal("mongodb://root:canary@127.0.0.1/x").await;
    assert!(
        said.contains("sqlite:, postgres:// or mysql://, not mongodb://"),
        "{said}"
    );
    for url in [
        "",
        "canary",
        "canary:canary",
        "canary canary://x",
        "/canary.db",
    ] {
        let said = refusal(url).await;
        assert!(said.ends_with("sqlite:, postgres:// or mysql://"), "{said}");
    }
}

#[tokio::test]
async fn a_url_that_cannot_be_read_is_refused() {
    for url in [
        "postgres://root:canary@:99999999/x",
        "mysql://root:canary@127.0.0.1:canary/x",
        "postgres://root@127.0.0.1/x?sslmode=canary",
        "sqlite://x?canary=canary",
    ] {
        let said = refusal(url).await;
        assert!(said.contains("must look like"), "{said}");
    }
}

#[tokio::test]
async fn a_file_that_must_exist_is_neither_made_nor_changed() {
    let directory = tempfile::TempDir::new().expect("a directory");
    let file = directory.path().join("countersign.db");
    let settings = DatabaseSettings {
        must_exist: true,
        ..DatabaseSettings::new(format!("sqlite://{}?mode=rwc", file.display()))
    };
    assert_eq!(settings.file(), Some(file.clone()));
    let refused = Database::connect(&settings).await.map(drop);
    let refused = refused.expect_err("it is not there").to_string();
    let told = format!("there is no SQLite database {}", file.display());
    assert_eq!(refused, told);
    assert!(!file.exists());

    std::fs::write(&file, "").expect("an empty database");
    let database = Database::connect(&settings).await.expect("it is there");
    let pending = database.pending_migrations().await.expect("an answer");
    assert!(!pending.is_empty());
    drop(database);
    assert_eq!(std::fs::read(&file).expect("it is there"), b"");
}

#[tokio::test]
async fn a_new_file_is_closed_to_others_and_so_are_those_beside_it() {
    let directory = tempfile::TempDir::new().expect("a directory");
    let file = directory.path().join("countersign.db");
    let url = format!("sqlite://{}?mode=rwc", file.display());
    let database = Database::connect(&DatabaseSettings::new(url)).await;
    let database = database.expect("it is made");
    database.migrate().await.expect("tables");
    for name in ["countersign.db", "countersign.db-wal", "countersign.db-shm"] {
        let metadata = std::fs::metadata(directory.path().join(name)).expect(name);
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{name}");
    }
    drop(database);

    let other = format!("sqlite://{}/other.db", directory.path().display());
    let refusal = refusal(&other).await;
    assert!(refusal.contains("unable to open"), "{refusal}");
    assert!(!directory.path().join("other.db").exists());
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_named() {
    let said = refusal("sqlite:///nowhere/at/all/countersign.db?mode=rwc").await;
    assert!(said.contains("/nowhere/at/all/countersign.db"), "{said}");
    assert!(said.contains("unable to open"), "{said}");
}
