//! TLS as the URL asks for it: what requires it is answered over TLS or not at all, and
//! never in plaintext.

use std::sync::Arc;
use std::time::Duration;

use countersign_domain::ports::{ExistingUsers as _, ExistingUsersError, Holder};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::database::{Backend, Database, users_at};
use crate::reading::{django, email, make_django};

const MINA: &str = "mina@example.com";
/// How long a client is listened to after it was told that there is no TLS.
const AFTERWARDS: Duration = Duration::from_millis(300);

/// What a lookup says in one word.
async fn look(url: &str) -> &'static str {
    let users = users_at(url, "auth_user", django(), &Arc::default());
    match users.holder(&email(MINA)).await {
        Ok(Holder::User(_)) => "found",
        Ok(_) => "not found",
        Err(ExistingUsersError::Unavailable(reason)) if reason.starts_with("TLS: ") => "no TLS",
        Err(ExistingUsersError::Unavailable(reason)) if reason.contains("peer certificate") => {
            "not trusted"
        }
        Err(error) => panic!("{url}: {error:?}"),
    }
}

/// A database of each kind with its URLs by what they ask for, and whether the server
/// speaks TLS.
async fn with_mina(backend: Backend) -> Option<(Database, bool)> {
    let database = Database::new(backend).await?;
    make_django(
        &database,
        &["('mina', 'mina@example.com', 'HASH', '', true)"],
    )
    .await;
    let speaks_tls = match backend {
        Backend::Postgres => database.text("SHOW ssl").await == "on",
        _ => {
            let have_ssl = "SELECT CAST(@@global.have_ssl AS CHAR)";
            database.text(have_ssl).await == "YES"
        }
    };
    Some((database, speaks_tls))
}

#[tokio::test]
async fn what_requires_tls_is_answered_over_tls_or_not_at_all() {
    for (backend, modes) in [
        (
            Backend::Postgres,
            ["sslmode=disable", "sslmode=require", "sslmode=verify-full"],
        ),
        (
            Backend::MariaDb,
            [
                "ssl-mode=DISABLED",
                "ssl-mode=REQUIRED",
                "ssl-mode=VERIFY_IDENTITY",
            ],
        ),
    ] {
        let Some((database, speaks_tls)) = with_mina(backend).await else {
            continue;
        };
        let mut answers = Vec::new();
        for mode in modes {
            answers.push(look(&format!("{}?{mode}", database.reader)).await);
        }
        // No authority that is known here has signed the certificate of a test server.
        let expected = match speaks_tls {
            true => ["found", "found", "not trusted"],
            false => ["found", "no TLS", "no TLS"],
        };
        println!("{backend:?}, which speaks TLS: {speaks_tls}: {modes:?}: {answers:?}");
        assert_eq!(answers, expected, "{backend:?}");
        database.drop_it().await;
    }
}

/// A server of PostgreSQL that speaks no TLS: it says so, and notes what comes then.
async fn without_tls() -> (String, mpsc::UnboundedReceiver<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!(
        "postgres://reader:secret@{}/shop",
        listener.local_addr().expect("an address")
    );
    let (said, heard) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let said = said.clone();
            tokio::spawn(async move {
                // The request for TLS has eight bytes.
                let mut request = [0; 8];
                if client.read_exact(&mut request).await.is_err() {
                    return;
                }
                let is_request = request == [0, 0, 0, 8, 4, 210, 22, 47];
                if !is_request || client.write_all(b"N").await.is_err() {
                    said.send(request.len()).ok();
                    return;
                }
                let mut rest = [0; 512];
                let read = timeout(AFTERWARDS, client.read(&mut rest)).await;
                said.send(read.map_or(0, |read| read.unwrap_or(0))).ok();
            });
        }
    });
    (url, heard)
}

#[tokio::test]
async fn a_server_without_tls_hears_nothing_of_who_requires_it() {
    for mode in ["require", "verify-ca", "verify-full"] {
        let (url, mut heard) = without_tls().await;
        assert_eq!(
            look(&format!("{url}?sslmode={mode}")).await,
            "no TLS",
            "{mode}"
        );
        let (mut connections, mut bytes) = (0, 0);
        while let Ok(Some(said)) = timeout(AFTERWARDS * 2, heard.recv()).await {
            connections += 1;
            bytes += said;
        }
        println!("sslmode={mode}: {connections} connections, bytes in plaintext {bytes}");
        assert!(connections > 0, "it was asked");
        assert_eq!(bytes, 0, "{mode}");
    }
    // What is not required is not: the same server hears the name of its user.
    let (url, mut heard) = without_tls().await;
    let users = users_at(&url, "auth_user", django(), &Arc::default());
    let asked = timeout(AFTERWARDS, users.holder(&email(MINA))).await;
    assert!(asked.map_or(true, |answer| answer.is_err()));
    let said = timeout(AFTERWARDS * 4, heard.recv()).await;
    assert!(said.is_ok_and(|said| said.is_some_and(|bytes| bytes > 0)));
}
