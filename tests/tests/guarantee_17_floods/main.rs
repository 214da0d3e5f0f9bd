//! Guarantee 17: whoever sends frames that carry no call, or bodies that never
//! end, is cut off, and nobody else notices. All without a key.

mod frames;
mod held;
mod many_connections;
mod twenty_seconds;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use countersign_tests::{
    Backend, Gateway, Http2, PASSWORD, Replica, World, email, on_a_backend, reason, say,
};
use prost::bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tonic::codegen::http::Request;

use self::frames::{FLOODS, Frames, PREFACE, UNREAD, WINDOWLESS};

/// Within which a flood is cut off.
const CUT_OFF: Duration = Duration::from_secs(1);

/// What the server may take more than when it is idle, in bytes.
const MEMORY: u64 = 64 << 20;

/// The most memory that a server takes beyond what it has when it is idle.
struct Grown<'a> {
    replica: &'a Replica,
    idle: u64,
}

impl<'a> Grown<'a> {
    fn since_now(replica: &'a Replica) -> Self {
        let idle = replica.resident_memory();
        let _ = replica.take_peak_memory();
        Self { replica, idle }
    }

    /// The peak since then, or since this was asked last, in bytes.
    fn most(&self) -> u64 {
        self.replica.take_peak_memory().saturating_sub(self.idle)
    }
}

/// The RPCs whose bodies are not ended.
const UNFINISHED: [&str; 3] = [
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.health.v1.Health/Watch",
    "/countersign.v1.AuthService/SignUp",
];

/// How often each flood comes again, on a new connection.
const ROUNDS: usize = 5;

#[test]
fn a_flood_of_frames_is_cut_off_and_nobody_else_notices() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let gateway = world.new_caller("shop", &["service"]).await;
        let address = world.replica(0).address();
        let memory = Grown::since_now(world.replica(0));
        let (asked, failed) = beside(gateway, async {
            for (name, frames) in FLOODS {
                let mut slowest = Duration::ZERO;
                let mut calmed = 0;
                for _ in 0..ROUNDS {
                    let (time, was_told) = flood(address, frames).await;
                    slowest = slowest.max(time);
                    calmed += usize::from(was_told);
                }
                assert!(slowest <= CUT_OFF, "{name}: cut off after {slowest:?}");
                say!(
                    "flood of {name}: cut off {ROUNDS} of {ROUNDS} times, within {slowest:?}, \
                     {calmed} with GOAWAY ENHANCE_YOUR_CALM"
                );
            }
        })
        .await;
        let grown = memory.most();
        say!("beside the floods: {failed} of {asked} calls failed, memory {grown} bytes more");
        assert_eq!(failed, 0);
        assert!(grown <= MEMORY, "{grown} bytes");
    });
}

#[test]
fn unfinished_bodies_hold_little_and_end() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let gateway = world.new_caller("shop", &["service"]).await;
        let memory = Grown::since_now(world.replica(0));
        let (asked, failed) = beside(gateway, async {
            let line = Http2::connect(world.replica(0).address()).await;
            let mut streams = Vec::new();
            for path in UNFINISHED {
                for _ in 0..80 {
                    let (request, body) = unfinished_request(path);
                    let mut begun = line.begin(request).await;
                    // Whoever was answered already takes no more.
                    begun.body.send_data(body, false).ok();
                    streams.push(begun);
                }
            }
            tokio::time::sleep(Duration::from_secs(2)).await;
        })
        .await;
        let grown = memory.most();
        say!("beside 240 unfinished bodies: {failed} of {asked} calls failed, memory {grown} more");
        assert_eq!(failed, 0);
        assert!(grown <= MEMORY, "{grown} bytes");
    });
}

#[test]
fn answers_that_nobody_reads_hold_little() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let gateway = world.new_caller("shop", &["service"]).await;
        let address = world.replica(0).address();
        let memory = Grown::since_now(world.replica(0));
        let mut lines = Vec::new();
        let (asked, failed) = beside(gateway, async {
            for unread in UNREAD {
                for _ in 0..20 {
                    let mut line = TcpStream::connect(address).await.expect("a connection");
                    let streams = (1..).step_by(2).take(250);
                    let calls: Vec<u8> = streams.flat_map(unread).collect();
                    line.write_all(WINDOWLESS).await.expect("it is open");
                    // Whoever asks for too much may be cut off meanwhile.
                    line.write_all(&calls).await.ok();
                    lines.push(line);
                }
            }
            tokio::time::sleep(Duration::from_secs(2)).await;
        })
        .await;
        let grown = memory.most();
        let calls = lines.len() * 250;
        say!(
            "beside {calls} unread answers: {failed} of {asked} calls failed, memory {grown} more"
        );
        assert_eq!(failed, 0);
        assert!(grown <= MEMORY, "{grown} bytes");
    });
}

#[test]
fn silent_connections_take_no_descriptors_from_the_database() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::on(backend).with_descriptors(256).start().await;
        let log = world.log().text(0);
        assert!(log.contains("server.max_connections is lowered"), "{log}");
        let gateway = world.gateway();
        let mina = world.sign_up_at(&gateway).await;
        let mut silent = Vec::new();
        for _ in 0..400 {
            silent.push(TcpStream::connect(world.replica(0).address()).await);
        }
        // Each opens connections to the database and to files anew.
        let sign_ins = (0..32).map(|_| gateway.sign_in(email(&mina.email), PASSWORD));
        let outcomes = futures_util::future::join_all(sign_ins).await;
        let failed = outcomes.iter().filter(|o| o.is_err()).count();
        say!("beside 400 silent connections, with 256 descriptors: {failed} of 32 sign-ins failed");
        assert_eq!(failed, 0, "{outcomes:?}");
        drop(silent);
    });
}

#[test]
fn a_busy_client_is_not_cut_off() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let gateway = world.gateway();
        let ends = Instant::now() + Duration::from_secs(3);
        let calls = (0..64).map(|_| {
            let gateway = gateway.clone();
            async move {
                let mut answered = 0;
                while Instant::now() < ends {
                    assert_eq!(reason(&gateway.validate("garbage").await), "OK");
                    answered += 1;
                }
                answered
            }
        });
        let answered: u64 = futures_util::future::join_all(calls).await.iter().sum();
        say!("64 callers on one connection: {answered} of {answered} answered");
        assert!(answered > 1_000);
    });
}

/// Sends frames again and again until the connection is cut. How long that took,
/// and whether the reason was told.
async fn flood(address: SocketAddr, frames: Frames) -> (Duration, bool) {
    let stream = TcpStream::connect(address).await.expect("a connection");
    let (mut read, mut write) = stream.into_split();
    let began = Instant::now();
    let mut heard = Vec::new();
    let hear = async {
        // Ends with the connection, whether by its end or by a reset.
        read.read_to_end(&mut heard).await.ok();
    };
    let send = async {
        write.write_all(PREFACE).await.ok();
        let mut streams = (1..).step_by(2);
        loop {
            let batch: Vec<u8> = streams.by_ref().take(512).flat_map(frames).collect();
            if write.write_all(&batch).await.is_err() {
                break;
            }
        }
    };
    let cut = async { tokio::join!(hear, send) };
    let is_cut = timeout(CUT_OFF * 5, cut).await.is_ok();
    let took = if is_cut { began.elapsed() } else { CUT_OFF * 5 };
    // Our own GOAWAY ends with its code; that of the HTTP/2 library says why.
    let was_told = heard.ends_with(b"\x0b") || heard.ends_with(b"too_many_resets");
    (took, was_told)
}

/// A call without a key, and of its message of 4,096 bytes all but the last.
fn unfinished_request(path: &str) -> (Request<()>, Bytes) {
    let request = Request::post(format!("http://localhost{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    let mut body = vec![0, 0, 0, 0x10, 0];
    body.resize(5 + 4_095, b'a');
    (request.body(()).expect("a request"), body.into())
}

/// Validates while something else goes on. How many calls were made and failed.
async fn beside(gateway: Gateway, other: impl Future<Output = ()>) -> (u64, u64) {
    let is_over = Arc::new(AtomicBool::new(false));
    let ends = Arc::clone(&is_over);
    let calls = tokio::spawn(async move {
        let (mut asked, mut failed) = (0, 0);
        while !ends.load(Ordering::Relaxed) {
            asked += 1;
            failed += u64::from(reason(&gateway.validate("garbage").await) != "OK");
        }
        (asked, failed)
    });
    other.await;
    is_over.store(true, Ordering::Relaxed);
    calls.await.expect("no panic")
}
