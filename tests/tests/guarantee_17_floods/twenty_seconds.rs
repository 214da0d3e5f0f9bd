//! Floods by attackers who connect again whenever they are cut off, and never
//! read: what they take of the server, and what it costs them.

use std::fs;
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use countersign_tests::{Backend, World, on_a_backend, say};
use tokio::time::Instant;

use crate::frames::{FLOODS, Frames, PREFACE};
use crate::{CUT_OFF, Grown, MEMORY, beside};

/// How long attackers go on.
pub(super) const TWENTY_SECONDS: Duration = Duration::from_secs(20);

/// What an attacker did in a time.
struct Attack {
    connections: usize,
    /// How long the longest of them lasted.
    longest: Duration,
    /// The CPU that it took.
    cpu: Duration,
}

#[test]
#[ignore = "each flood for 20 seconds: some five minutes"]
fn floods_that_come_back_for_twenty_seconds_harm_nobody() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let gateway = world.new_caller("shop", &["service"]).await;
        let address = world.replica(0).address();
        let memory = Grown::since_now(world.replica(0));
        for (name, frames) in FLOODS {
            let served = world.replica(0).cpu_time();
            let mut attacks = Vec::new();
            let (asked, failed) = beside(gateway.clone(), async {
                let attackers: Vec<_> = (0..2)
                    .map(|_| tokio::task::spawn_blocking(move || attack(address, frames)))
                    .collect();
                for attacker in attackers {
                    attacks.push(attacker.await.expect("no panic"));
                }
            })
            .await;
            let served = world.replica(0).cpu_time() - served;
            let spent: Duration = attacks.iter().map(|attack| attack.cpu).sum();
            let connections: usize = attacks.iter().map(|attack| attack.connections).sum();
            let longest = attacks.iter().map(|attack| attack.longest).max();
            let longest = longest.expect("two attackers");
            let ratio = served.as_secs_f64() / spent.as_secs_f64();
            let grown = memory.most();
            say!(
                "20 s of {name}: {connections} connections cut off, the slowest after {longest:?}; \
                 server CPU : attackers' CPU {ratio:.2}; {failed} of {asked} calls beside it \
                 failed; memory {grown} bytes more"
            );
            assert_eq!(failed, 0, "{name}");
            assert!(longest <= CUT_OFF || ratio <= 1.5, "{name}");
            assert!(grown <= MEMORY, "{name}: {grown} bytes");
        }
    });
}

/// Floods for 20 seconds, and connects again whenever it is cut off. It never
/// reads.
fn attack(address: SocketAddr, frames: Frames) -> Attack {
    let ends = Instant::now() + TWENTY_SECONDS;
    let before = thread_cpu();
    let mut attack = Attack {
        connections: 0,
        longest: Duration::ZERO,
        cpu: Duration::ZERO,
    };
    // Made before, so that it costs the attacker nothing.
    let mut streams = (1..).step_by(2);
    let sent: Vec<u8> = streams.by_ref().take(60_000).flat_map(frames).collect();
    while Instant::now() < ends {
        let Ok(mut line) = TcpStream::connect(address) else {
            continue;
        };
        let began = Instant::now();
        line.set_write_timeout(Some(CUT_OFF * 5)).expect("a time");
        // It ends when the server ends it.
        let mut flooded = line.write_all(PREFACE);
        while flooded.is_ok() {
            flooded = line.write_all(&sent);
        }
        attack.connections += 1;
        attack.longest = attack.longest.max(began.elapsed());
    }
    attack.cpu = thread_cpu() - before;
    attack
}

/// What this thread has computed so far.
pub(super) fn thread_cpu() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells");
    let nanos = text.split(' ').next().expect("a number");
    Duration::from_nanos(nanos.parse().expect("a number"))
}
