//! A line between a server and what it depends on, that can be cut, led
//! elsewhere, and left with connections that never answer again.

use std::collections::HashMap;
use std::future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What a proxy does with its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Passes everything on.
    Pass,
    /// Has closed all connections, and closes new ones at once.
    Cut,
    /// Keeps connections open and passes nothing on, as a black hole would.
    Swallow,
}

/// Forwards TCP connections to one address, as its mode says.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    state: Arc<watch::Sender<State>>,
    open: Arc<Mutex<HashMap<u64, Open>>>,
    accepting: JoinHandle<()>,
}

#[derive(Debug, Clone, Copy)]
struct State {
    mode: Mode,
    /// Where new connections lead.
    target: SocketAddr,
    /// Connections of earlier generations never answer again.
    generation: u64,
}

/// A connection that its client has not closed.
#[derive(Debug, Clone, Copy)]
struct Open {
    target: SocketAddr,
    generation: u64,
}

impl Proxy {
    /// A proxy to `target`, on a port of its own.
    ///
    /// # Panics
    /// If there is no port.
    pub async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(watch::Sender::new(State {
            mode: Mode::Pass,
            target,
            generation: 0,
        }));
        let open = Arc::new(Mutex::new(HashMap::new()));
        let accepting = tokio::spawn(accept(listener, Arc::clone(&state), Arc::clone(&open)));
        Self {
            address,
            state,
            open,
            accepting,
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes what it does from now on.
    pub fn set(&self, mode: Mode) {
        self.state.send_modify(|state| state.mode = mode);
    }

    /// Leads new connections to another address, as a moved address does. Those
    /// that are open stay where they are.
    pub fn lead_to(&self, target: SocketAddr) {
        self.state.send_modify(|state| state.target = target);
    }

    /// Forgets the connections that are open, as a firewall that was restarted
    /// does: what is sent over them vanishes, and they are never closed from
    /// here. New connections work as the mode says.
    pub fn strand(&self) {
        self.state.send_modify(|state| state.generation += 1);
    }

    /// How many connections are open to an address.
    #[must_use]
    pub fn open_to(&self, target: SocketAddr) -> usize {
        self.count(|open| open.target == target)
    }

    /// How many connections never answer again and are still held by whoever
    /// opened them.
    #[must_use]
    pub fn stranded(&self) -> usize {
        let generation = self.state.borrow().generation;
        self.count(|open| open.generation != generation)
    }

    fn count(&self, which: impl Fn(&Open) -> bool) -> usize {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.values().filter(|open| which(open)).count()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(
    listener: TcpListener,
    state: Arc<watch::Sender<State>>,
    open: Arc<Mutex<HashMap<u64, Open>>>,
) {
    let mut number = 0;
    while let Ok((client, _)) = listener.accept().await {
        let now = *state.borrow();
        if now.mode == Mode::Cut {
            continue;
        }
        number += 1;
        let (key, states, open) = (number, state.subscribe(), Arc::clone(&open));
        tokio::spawn(async move {
            let entry = Open {
                target: now.target,
                generation: now.generation,
            };
            lock(&open).insert(key, entry);
            forward(client, entry, states).await;
            lock(&open).remove(&key);
        });
    }
}

fn lock(open: &Mutex<HashMap<u64, Open>>) -> std::sync::MutexGuard<'_, HashMap<u64, Open>> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn forward(client: TcpStream, entry: Open, mut states: watch::Receiver<State>) {
    let Ok(server) = TcpStream::connect(entry.target).await else {
        return;
    };
    let is_quick = client.set_nodelay(true).and(server.set_nodelay(true));
    if is_quick.is_err() {
        return;
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let (requests, answers, mut ending) = (states.clone(), states.clone(), states.clone());
    let from_the_server = async {
        copy(from_server, to_client, entry.generation, answers).await;
        // Nobody hears of the end over a line on which nothing passes.
        let heard = ending
            .wait_for(|state| state.mode != Mode::Swallow || state.generation != entry.generation)
            .await
            .is_ok_and(|state| state.generation == entry.generation);
        if !heard {
            future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = copy(from_client, to_server, entry.generation, requests) => {}
        () = from_the_server => {}
        _ = states.wait_for(|state| state.mode == Mode::Cut) => {}
    }
}

/// Copies one way while it may, and swallows what comes after that.
async fn copy(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    generation: u64,
    mut states: watch::Receiver<State>,
) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let Ok(length @ 1..) = from.read(&mut buffer).await else {
            return;
        };
        let passing = states
            .wait_for(|state| state.mode != Mode::Swallow || state.generation != generation)
            .await
            .map(|state| state.generation == generation);
        match passing {
            Ok(true) => {
                if to.write_all(&buffer[..length]).await.is_err() {
                    return;
                }
            }
            Ok(false) => {}
            Err(_) => return,
        }
    }
}
