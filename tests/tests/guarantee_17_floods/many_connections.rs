//! Very many connections on which nobody makes a call that he may make: idle
//! ones, and such that hold all that needs no key. They hold little, and leave
//! room for callers.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::Command;
use std::time::Duration;

use countersign_tests::{Backend, Gateway, World, on_a_backend, reason, say};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::frames::{HELD, PREFACE};
use crate::{Grown, MEMORY, beside};

/// Of one address: as many as it may have.
const CONNECTIONS: usize = 1_000;

/// The idle ones, and the addresses that they come from.
const IDLE: usize = 10_000;
const ADDRESSES: u8 = 8;

/// How many calls without a key a connection may have.
const STREAMS: usize = 8;

#[test]
fn a_thousand_connections_of_an_address_without_a_key_hold_little() {
    on_a_backend(Backend::Sqlite, async |backend| {
        raise_descriptors();
        for (what, frames) in HELD {
            let streams = (1..).step_by(2).take(STREAMS);
            let sent = [PREFACE.to_vec(), streams.flat_map(frames).collect()].concat();
            let sources = [IpAddr::from([127, 0, 0, 1]); CONNECTIONS];
            hold(backend, what, &sources, &sent).await;
        }
    });
}

#[test]
#[ignore = "ten thousand connections"]
fn ten_thousand_idle_connections_hold_little() {
    on_a_backend(Backend::Sqlite, async |backend| {
        raise_descriptors();
        let sources: Vec<_> = (0..IDLE)
            .map(|number| IpAddr::from([127, 0, 1, number as u8 % ADDRESSES]))
            .collect();
        hold(backend, "nothing", &sources, PREFACE).await;
    });
}

/// Holds connections from these addresses beside callers, and looks what they
/// take.
async fn hold(backend: Backend, what: &str, sources: &[IpAddr], sent: &[u8]) {
    let world = World::start(backend, 1).await;
    let gateway = world.new_caller("shop", &["service"]).await;
    assert_eq!(reason(&gateway.validate("garbage").await), "OK");
    let address = world.replica(0).address();
    let memory = Grown::since_now(world.replica(0));
    let mut held = Vec::new();
    let mut newcomers = Vec::new();
    let (asked, failed) = beside(gateway.clone(), async {
        for source in sources {
            held.extend(begin(*source, address, sent).await);
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        for number in 0..20 {
            let from = Ipv4Addr::new(127, 0, 2, number);
            let newcomer = Gateway::to_by_way_of(address, from.into());
            let newcomer = newcomer.with_key_of(&gateway);
            newcomers.push(reason(&newcomer.validate("garbage").await));
        }
    })
    .await;
    let grown = memory.most();
    let refused = newcomers.iter().filter(|answer| *answer != "OK").count();
    say!(
        "{} connections that hold {what}: {failed} of {asked} calls beside them failed, {refused} \
         of {} callers that came meanwhile; memory at the most {grown} bytes more",
        sources.len(),
        newcomers.len(),
    );
    assert_eq!((failed, refused), (0, 0), "{what}");
    assert!(grown <= MEMORY, "{what}: {grown} bytes");
    drop(held);
}

/// A connection on which as much was said as was taken within a while.
async fn begin(source: IpAddr, address: SocketAddr, sent: &[u8]) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((source, 0).into()).expect("a loopback address");
    let mut line = socket.connect(address).await.ok()?;
    // Whoever is refused is not read.
    let said = timeout(Duration::from_secs(1), line.write_all(sent));
    said.await.is_ok().then_some(line)
}

/// Lets this process have as many descriptors as it may.
fn raise_descriptors() {
    let pid = std::process::id().to_string();
    let raised = Command::new("prlimit")
        .args(["--pid", &pid, "--nofile=16384:"])
        .status();
    assert!(raised.is_ok_and(|status| status.success()), "prlimit");
}
