//! Attackers who hold what they have: bodies that never end, answers that they do
//! not read, and connections on which nothing is said, for 20 seconds and anew
//! whenever they are cut off.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use countersign_tests::{Backend, PASSWORD, World, email, on_a_backend, say};
use h2::SendStream;
use h2::client::ResponseFuture;
use prost::bytes::Bytes;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, timeout};

use crate::frames::{PREFACE, UNREAD, WINDOWLESS};
use crate::twenty_seconds::{TWENTY_SECONDS, thread_cpu};
use crate::{Grown, MEMORY, UNFINISHED, beside, unfinished_request};

/// Attackers at once.
const ATTACKERS: usize = 2;

/// The connections with bodies that an attacker holds at the most.
const WITH_BODIES: usize = 100;

/// The silent connections that an attacker holds.
const SILENT: usize = 200;

/// What is said on silent connections before nothing is.
const SILENCES: [(&str, &[u8]); 3] = [
    ("nothing", b""),
    ("half of the preface", b"PRI * HTTP/2"),
    ("the preface", PREFACE),
];

#[test]
#[ignore = "each kind of body for 20 seconds: a minute"]
fn unfinished_bodies_that_come_back_for_twenty_seconds_harm_nobody() {
    on_a_backend(Backend::Sqlite, async |backend| {
        for path in UNFINISHED {
            let world = World::start(backend, 1).await;
            let gateway = world.new_caller("shop", &["service"]).await;
            let address = world.replica(0).address();
            let memory = Grown::since_now(world.replica(0));
            let served = world.replica(0).cpu_time();
            let (mut bodies, mut spent) = (0, Duration::ZERO);
            let (asked, failed) = beside(gateway.clone(), async {
                let attackers: Vec<_> = (0..ATTACKERS)
                    .map(|_| spawn_blocking(move || begin_bodies(address, path)))
                    .collect();
                for attacker in attackers {
                    let (begun, cpu) = attacker.await.expect("no panic");
                    bodies += begun;
                    spent += cpu;
                }
            })
            .await;
            let served = world.replica(0).cpu_time() - served;
            let ratio = served.as_secs_f64() / spent.as_secs_f64();
            let grown = memory.most();
            say!(
                "20 s of unfinished bodies for {path}: {bodies} begun; server CPU : attackers' \
                 CPU {ratio:.2}; {failed} of {asked} calls beside it failed; memory {grown} \
                 bytes more"
            );
            assert!(bodies > 240, "{path}: {bodies}");
            assert_eq!(failed, 0, "{path}");
            assert!(ratio <= 1.5, "{path}");
            assert!(grown <= MEMORY, "{path}: {grown} bytes");
        }
    });
}

#[test]
#[ignore = "each kind of silence for 20 seconds: a minute"]
fn silent_connections_that_come_back_for_twenty_seconds_harm_nobody() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::on(backend).with_descriptors(256).start().await;
        let gateway = world.gateway();
        let mina = world.sign_up_at(&gateway).await;
        let address = world.replica(0).address();
        let memory = Grown::since_now(world.replica(0));
        for (said, bytes) in SILENCES {
            let mut connections = 0;
            let (mut sign_ins, mut refused) = (0, 0);
            let (asked, failed) = beside(gateway.clone(), async {
                let attackers: Vec<_> = (0..ATTACKERS)
                    .map(|_| spawn_blocking(move || be_silent(address, bytes)))
                    .collect();
                while attackers.iter().any(|attacker| !attacker.is_finished()) {
                    let outcome = gateway.sign_in(email(&mina.email), PASSWORD).await;
                    sign_ins += 1;
                    refused += u64::from(outcome.is_err());
                }
                for attacker in attackers {
                    connections += attacker.await.expect("no panic");
                }
            })
            .await;
            let grown = memory.most();
            say!(
                "20 s of connections on which is said {said}: {connections}; {failed} of {asked} \
                 validations and {refused} of {sign_ins} sign-ins beside it failed; memory {grown} \
                 bytes more"
            );
            assert!(connections > 400, "{said}: {connections}");
            assert_eq!((failed, refused), (0, 0), "{said}");
            assert!(sign_ins > 10, "{said}: {sign_ins}");
            assert!(grown <= MEMORY, "{said}: {grown} bytes");
        }
    });
}

#[test]
#[ignore = "each kind of answer for 20 seconds: a minute"]
fn answers_that_nobody_reads_for_twenty_seconds_harm_nobody() {
    on_a_backend(Backend::Sqlite, async |backend| {
        for (what, unread) in ["reflection", "health", "health watched"]
            .into_iter()
            .zip(UNREAD)
        {
            let world = World::start(backend, 1).await;
            let gateway = world.new_caller("shop", &["service"]).await;
            let address = world.replica(0).address();
            let calls: Vec<u8> = (1..).step_by(2).take(250).flat_map(unread).collect();
            let said = [WINDOWLESS, &calls].concat();
            let memory = Grown::since_now(world.replica(0));
            let mut connections = 0;
            let (asked, failed) = beside(gateway.clone(), async {
                let attackers: Vec<_> = (0..ATTACKERS)
                    .map(|_| {
                        let said = said.clone();
                        spawn_blocking(move || be_silent(address, &said))
                    })
                    .collect();
                for attacker in attackers {
                    connections += attacker.await.expect("no panic");
                }
            })
            .await;
            let grown = memory.most();
            say!(
                "20 s of unread answers of {what}: {connections} connections; {failed} of {asked} \
                 calls beside it failed; memory at the most {grown} bytes more"
            );
            assert!(connections >= ATTACKERS * SILENT, "{what}: {connections}");
            assert_eq!(failed, 0, "{what}");
            assert!(grown <= MEMORY, "{what}: {grown} bytes");
        }
    });
}

/// A connection with calls whose bodies do not end.
struct Unfinished {
    connection: JoinHandle<Result<(), h2::Error>>,
    streams: Vec<(ResponseFuture, SendStream<Bytes>)>,
}

/// Begins bodies again and again, and holds the newest connections. How many
/// bodies there were, and the CPU that it took.
fn begin_bodies(address: SocketAddr, path: &str) -> (usize, Duration) {
    let before = thread_cpu();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let begun = runtime.expect("a runtime").block_on(async {
        let ends = Instant::now() + TWENTY_SECONDS;
        let mut begun = 0;
        let mut held = VecDeque::new();
        while Instant::now() < ends {
            // Whoever is refused comes again.
            let unfinished = timeout(Duration::from_secs(1), Unfinished::begin(address, path));
            let Ok(Some(unfinished)) = unfinished.await else {
                continue;
            };
            begun += unfinished.streams.len();
            held.push_back(unfinished);
            held.retain(|unfinished: &Unfinished| !unfinished.connection.is_finished());
            if held.len() > WITH_BODIES {
                held.pop_front();
            }
        }
        begun
    });
    (begun, thread_cpu() - before)
}

impl Unfinished {
    /// Begins as many as a connection may have of a path.
    async fn begin(address: SocketAddr, path: &str) -> Option<Self> {
        let stream = tokio::net::TcpStream::connect(address).await.ok()?;
        let (mut requests, connection) = h2::client::handshake(stream).await.ok()?;
        let connection = tokio::spawn(connection);
        let mut streams = Vec::new();
        for _ in 0..240 {
            requests = requests.ready().await.ok()?;
            let (request, body) = unfinished_request(path);
            let (response, mut sent) = requests.send_request(request, false).ok()?;
            sent.send_data(body, false).ok()?;
            streams.push((response, sent));
        }
        Some(Self {
            connection,
            streams,
        })
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

/// Holds connections on which nothing more is said, and opens others in place of
/// those that are closed. How many there were.
fn be_silent(address: SocketAddr, said: &[u8]) -> usize {
    let ends = Instant::now() + TWENTY_SECONDS;
    let mut opened = 0;
    let mut held: Vec<TcpStream> = Vec::new();
    while Instant::now() < ends {
        held.retain_mut(is_open);
        while held.len() < SILENT {
            let Ok(mut line) = TcpStream::connect(address) else {
                break;
            };
            line.write_all(said).ok();
            line.set_nonblocking(true).expect("a socket");
            opened += 1;
            held.push(line);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    opened
}

/// Whether the server has not closed a connection yet.
fn is_open(line: &mut TcpStream) -> bool {
    let mut heard = [0; 256];
    match line.read(&mut heard) {
        Ok(bytes) => bytes > 0,
        Err(error) => error.kind() == ErrorKind::WouldBlock,
    }
}
