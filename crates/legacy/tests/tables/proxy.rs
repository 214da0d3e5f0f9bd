//! A way to a server that can be cut, or go silent.

use std::net::Ipv4Addr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// In what state a way is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Good,
    /// Connections end, and new ones too.
    Cut,
    /// Nothing arrives any more, and nobody is told.
    Silent,
}

/// A way to the server of a URL.
pub(crate) struct Proxy {
    pub(crate) url: String,
    state: watch::Sender<State>,
}

impl Proxy {
    pub(crate) async fn to(url: &str) -> Self {
        let (before, rest) = url.rsplit_once('@').expect("a URL with a user");
        let (target, name) = rest.split_once('/').expect("a URL with a database");
        let target = target.to_owned();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (state, changes) = watch::channel(State::Good);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, target.clone(), changes.clone()));
            }
        });
        Self {
            url: format!("{before}@127.0.0.1:{port}/{name}"),
            state,
        }
    }

    pub(crate) fn set(&self, state: State) {
        self.state.send_replace(state);
    }
}

async fn carry(mut client: TcpStream, target: String, mut changes: watch::Receiver<State>) {
    if *changes.borrow_and_update() == State::Good {
        let mut server = TcpStream::connect(target).await.expect("the server");
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server) => return,
            _ = changes.changed() => {}
        }
    }
    if *changes.borrow() == State::Silent {
        // Held open, for as long as the way is silent.
        let _ = changes.wait_for(|state| *state != State::Silent).await;
    }
}
