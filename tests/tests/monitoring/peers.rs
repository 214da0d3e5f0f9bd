//! Peers of the metrics port that say nothing, do not come to an end, or say too
//! much: they hold up nobody, and hold on to nothing.

use countersign_tests::{Backend, Metrics, PATIENCE, World, comes_true, on_a_backend, say};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Connections that are opened at once: many times those that are kept.
const PEERS: usize = 120;
/// Descriptors that the server itself may open meanwhile, for its database.
const OWN: f64 = 8.0;
/// With the connections that are kept.
const MOST_MORE: f64 = 16.0 + OWN;
const OPEN_FILES: &str = "process_open_fds";

#[test]
fn silent_and_unfinished_peers_hold_up_nobody_and_nothing() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let (metrics, _world) = start(backend).await;
        let before = metrics.value(OPEN_FILES).await.expect("open files");
        let mut peers = Vec::new();
        for number in 0..PEERS {
            let mut peer = metrics.connect().await;
            let begun: &[u8] = match number % 3 {
                0 => b"",
                1 => b"GET /metrics HTTP/1.1\r\nhost: a",
                _ => b"POST /metrics HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n1",
            };
            peer.write_all(begun).await.expect("sent");
            peers.push(peer);
        }
        assert_eq!(metrics.page("/healthz").await.status, 200);
        let during = metrics.value(OPEN_FILES).await.expect("open files");
        assert!(during - before <= MOST_MORE, "{before} then {during}");
        for peer in &mut peers {
            assert!(is_closed(peer).await, "a connection is kept");
        }
        let is_as_before = async || metrics.value(OPEN_FILES).await <= Some(before + OWN);
        assert!(comes_true(PATIENCE, is_as_before).await.is_some());
        say!(
            "metrics port: {PEERS} silent or unfinished peers, open files {before}, then {during}"
        );
    });
}

#[test]
fn endless_headers_are_cut_off() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let (metrics, _world) = start(backend).await;
        let long = format!("a: {}\r\n", "b".repeat(1024));
        for line in ["a: b\r\n", &long] {
            let mut peer = metrics.connect().await;
            let head = "GET /metrics HTTP/1.1\r\nhost: a\r\n";
            peer.write_all(head.as_bytes()).await.expect("sent");
            let flood = async { while peer.write_all(line.as_bytes()).await.is_ok() {} };
            assert!(
                timeout(PATIENCE, flood).await.is_ok(),
                "it is read on and on"
            );
        }
        assert_eq!(metrics.page("/healthz").await.status, 200);
    });
}

#[test]
fn too_many_headers_and_other_protocols_are_refused() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let (metrics, _world) = start(backend).await;
        let many = format!("GET /metrics HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(65));
        for (request, status) in [
            (&*many, "431"),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400"),
            ("\u{16}\u{3}\u{1}\u{2}\r\n\r\n", "400"),
        ] {
            let mut peer = metrics.connect().await;
            peer.write_all(request.as_bytes()).await.expect("sent");
            let mut answer = Vec::new();
            peer.read_to_end(&mut answer).await.ok();
            let answer = String::from_utf8_lossy(&answer);
            assert!(
                answer.is_empty() || answer.starts_with(&format!("HTTP/1.1 {status}")),
                "{answer}"
            );
        }
        assert_eq!(metrics.page("/healthz").await.status, 200);
    });
}

async fn start(backend: Backend) -> (Metrics, World) {
    let metrics = Metrics::somewhere().await;
    let world = World::on(backend).set("metrics.listen", metrics.listen());
    (metrics, world.start().await)
}

/// Whether the server closes a connection, after whatever answer.
async fn is_closed(peer: &mut TcpStream) -> bool {
    let end = async {
        let mut answer = Vec::new();
        peer.read_to_end(&mut answer).await
    };
    timeout(PATIENCE, end).await.is_ok()
}
