//! A way to a server that can become slow or go dead.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// By how much a slow line is late.
pub(crate) const DELAY: Duration = Duration::from_millis(200);

/// In what state a line is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    Good,
    /// What the server says arrives [`DELAY`] later.
    Slow,
    /// Nothing arrives. Connections that were cut stay dead.
    Cut,
}

/// A way to a server.
pub(crate) struct Line {
    pub(crate) url: String,
    condition: watch::Sender<Condition>,
}

impl Line {
    /// A way to the server of a URL.
    pub(crate) async fn to(url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").expect("a URL");
        let (authority, database) = rest.rsplit_once('/').expect("a URL with a database");
        let (user, target) = authority.rsplit_once('@').expect("a URL with a user");
        let target = target.to_owned();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (condition, changes) = watch::channel(Condition::Good);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, target.clone(), changes.clone()));
            }
        });
        Self {
            url: format!("{scheme}://{user}@127.0.0.1:{port}/{database}"),
            condition,
        }
    }

    pub(crate) fn set(&self, condition: Condition) {
        self.condition.send_replace(condition);
    }
}

async fn carry(client: TcpStream, target: String, mut condition: watch::Receiver<Condition>) {
    let answers = condition.clone();
    let server = TcpStream::connect(target).await.expect("the server");
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let ended = async {
        tokio::select! {
            _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
            () = answer(&mut from_server, &mut to_client, answers) => {}
        }
    };
    tokio::select! {
        () = ended => return,
        _ = condition.wait_for(|now| *now == Condition::Cut) => {}
    }
    // The server learns that the client is gone; the client hears nothing.
    drop((from_server, to_server));
    std::future::pending::<()>().await;
}

async fn answer(
    from_server: &mut OwnedReadHalf,
    to_client: &mut OwnedWriteHalf,
    condition: watch::Receiver<Condition>,
) {
    let mut buffer = vec![0; 65_536];
    while let Ok(size @ 1..) = from_server.read(&mut buffer).await {
        if *condition.borrow() == Condition::Slow {
            tokio::time::sleep(DELAY).await;
        }
        if to_client.write_all(&buffer[..size]).await.is_err() {
            return;
        }
    }
}
