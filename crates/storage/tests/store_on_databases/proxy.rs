//! A way to a server that can become slow, or swallow what it carries.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// By how much a slow proxy is late.
pub(crate) const DELAY: Duration = Duration::from_millis(200);

/// In what state a proxy is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    Good,
    /// What the server says arrives [`DELAY`] later.
    Slow,
    /// Nothing arrives, and nobody is told. Connections that there are now, or
    /// that are opened now, stay dead when it is good again.
    Swallowing,
}

/// A way to a server.
pub(crate) struct Proxy {
    pub(crate) url: String,
    condition: watch::Sender<Condition>,
    dead: Arc<AtomicUsize>,
}

impl Proxy {
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
        let dead = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&dead);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (changes, counter) = (changes.clone(), Arc::clone(&counter));
                tokio::spawn(carry(client, target.clone(), changes, counter));
            }
        });
        Self {
            url: format!("{scheme}://{user}@127.0.0.1:{port}/{database}"),
            condition,
            dead,
        }
    }

    pub(crate) fn set(&self, condition: Condition) {
        self.condition.send_replace(condition);
    }

    /// How many dead connections the client still holds.
    pub(crate) fn dead(&self) -> usize {
        self.dead.load(Ordering::SeqCst)
    }
}

async fn carry(
    client: TcpStream,
    target: String,
    mut condition: watch::Receiver<Condition>,
    dead: Arc<AtomicUsize>,
) {
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
        _ = condition.wait_for(|now| *now == Condition::Swallowing) => {}
    }
    // The server learns that the client is gone; the client hears nothing.
    drop((from_server, to_server));
    dead.fetch_add(1, Ordering::SeqCst);
    let mut swallowed = vec![0; 65_536];
    while let Ok(1..) = from_client.read(&mut swallowed).await {}
    dead.fetch_sub(1, Ordering::SeqCst);
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
