//! A line on which replies get lost: the server has done the work, and the
//! client never hears of it.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::frames::{Frames, Kind};

/// Forwards gRPC connections, and closes one in five when the reply to its call
/// comes, so that the request was carried out and the reply is lost.
#[derive(Debug)]
pub struct ReplyLoser {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    connections: AtomicUsize,
    /// The messages of the replies that were lost.
    lost: Mutex<Vec<Vec<u8>>>,
}

/// The length prefix of a gRPC message.
const PREFIX_BYTES: usize = 5;

impl ReplyLoser {
    /// A line to `target`.
    ///
    /// # Panics
    /// If there is no port.
    pub async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
        let kept = Arc::clone(&shared);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let number = shared.connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(forward(
                    client,
                    target,
                    is_unlucky(number),
                    Arc::clone(&shared),
                ));
            }
        });
        Self {
            address,
            shared: kept,
            accepting,
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections there were.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// The messages that the server sent and nobody received.
    #[must_use]
    pub fn lost(&self) -> Vec<Vec<u8>> {
        let lost = self.shared.lost.lock();
        lost.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for ReplyLoser {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// One in five, in no order that a client could fall in step with.
fn is_unlucky(number: usize) -> bool {
    (number.wrapping_mul(0x9E37_79B9) >> 7).is_multiple_of(5)
}

async fn forward(client: TcpStream, target: SocketAddr, is_unlucky: bool, shared: Arc<Shared>) {
    let Ok(server) = TcpStream::connect(target).await else {
        return;
    };
    let (mut from_client, to_client) = client.into_split();
    let (from_server, mut to_server) = server.into_split();
    // Whichever ends first closes both connections.
    tokio::select! {
        _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
        _ = pass_replies(from_server, to_client, is_unlucky, &shared) => {}
    }
}

/// Passes on what the server sends, or only what belongs to no reply.
async fn pass_replies(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    is_unlucky: bool,
    shared: &Shared,
) -> io::Result<()> {
    let mut frames = Frames::default();
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        frames.push(&buffer[..length]);
        while let Some(frame) = frames.next() {
            match frame.kind {
                Kind::Data if is_unlucky => {
                    shared.note(frame.payload());
                    return Ok(());
                }
                Kind::Headers if is_unlucky && frame.ends_stream() => return Ok(()),
                Kind::Headers if is_unlucky => {}
                Kind::Data | Kind::Headers | Kind::Other => to.write_all(&frame.bytes).await?,
            }
        }
    }
}

impl Shared {
    fn note(&self, body: &[u8]) {
        let message = body.get(PREFIX_BYTES..).unwrap_or_default().to_vec();
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        lost.push(message);
    }
}
