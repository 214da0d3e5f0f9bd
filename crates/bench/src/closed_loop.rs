//! Load by clients that each send a call when the one before is answered.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use crate::connections::Connections;
use crate::failure::{Context as _, Failure};
use crate::sample::{Sample, Stopwatch};
use crate::system;

/// How long the last answers of a round may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Somebody who calls. What it learned in one round it knows in the next.
pub(crate) trait Client: Send + 'static {
    /// Prepares for a round, on the runtime on which it will call.
    fn open(
        &mut self,
        connections: &mut Connections,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Makes one call and checks the answer.
    fn call(&mut self) -> impl Future<Output = Result<Step, Failure>> + Send;
}

/// What came of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The answer was right.
    Answered,
    /// There is nothing left to ask.
    Done,
}

/// Whom a round concerns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// Connections in all.
    pub(crate) connections: usize,
    /// The process whose CPU is measured.
    pub(crate) watched: Option<u32>,
}

impl Target {
    /// For clients that connect by themselves.
    pub(crate) const NONE: Self = Self {
        address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1),
        connections: 1,
        watched: None,
    };
}

/// Runs the clients for a time, on one single-threaded runtime for each core.
///
/// # Errors
/// The first wrong answer: then there is no figure.
pub(crate) fn drive<C: Client>(
    clients: Vec<C>,
    target: Target,
    length: Duration,
) -> Result<(Vec<C>, Sample), Failure> {
    let threads = system::cores().get().min(clients.len()).max(1);
    let mut shares: Vec<Vec<C>> = (0..threads).map(|_| Vec::new()).collect();
    for (index, client) in clients.into_iter().enumerate() {
        shares[index % threads].push(client);
    }
    let start = Barrier::new(threads + 1);
    let mut clients = Vec::new();
    let mut calls = 0;
    let sample = thread::scope(|scope| {
        let running: Vec<_> = shares
            .into_iter()
            .map(|share| {
                let connections =
                    Connections::new(target.address, target.connections.div_ceil(threads));
                scope.spawn(|| run(share, connections, &start, length))
            })
            .collect();
        start.wait();
        let stopwatch = Stopwatch::start(target.watched);
        for thread in running {
            let (share, answered) = thread
                .join()
                .map_err(|_| Failure::new("a generating thread panicked"))??;
            clients.extend(share);
            calls += answered;
        }
        stopwatch?.stop(calls)
    })?;
    Ok((clients, sample))
}

fn run<C: Client>(
    mut clients: Vec<C>,
    mut connections: Connections,
    start: &Barrier,
    length: Duration,
) -> Result<(Vec<C>, u64), Failure> {
    let ready = runtime().and_then(|runtime| {
        runtime.block_on(async {
            for client in &mut clients {
                client.open(&mut connections).await?;
            }
            Ok(())
        })?;
        Ok(runtime)
    });
    // Also after a failure: the others wait here.
    start.wait();
    ready?.block_on(async {
        let end = system::now() + length;
        let mut tasks = JoinSet::new();
        for client in clients {
            tasks.spawn(until(end, client));
        }
        let mut clients = Vec::new();
        let mut calls = 0;
        let finished = async {
            while let Some(ended) = tasks.join_next().await {
                let (client, answered) = ended.context("a client")??;
                clients.push(client);
                calls += answered;
            }
            Ok(())
        };
        tokio::time::timeout(length + PATIENCE, finished)
            .await
            .map_err(|_| Failure::new("calls were not answered within 30 s"))??;
        Ok((clients, calls))
    })
}

async fn until<C: Client>(end: std::time::Instant, mut client: C) -> Result<(C, u64), Failure> {
    let mut answered = 0;
    while system::now() < end {
        match client.call().await? {
            Step::Answered => answered += 1,
            Step::Done => break,
        }
    }
    Ok((client, answered))
}

/// A runtime of one thread.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .context("starting a runtime")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Countdown(u32);

    impl Client for Countdown {
        async fn open(&mut self, _connections: &mut Connections) -> Result<(), Failure> {
            Ok(())
        }

        async fn call(&mut self) -> Result<Step, Failure> {
            match self.0 {
                0 => Ok(Step::Done),
                13 => Err(Failure::new("thirteen")),
                _ => {
                    self.0 -= 1;
                    Ok(Step::Answered)
                }
            }
        }
    }

    #[test]
    fn every_right_answer_is_counted_and_every_client_comes_back() {
        let clients = (1..=5).map(Countdown).collect();
        let (clients, sample) = drive(clients, Target::NONE, Duration::from_secs(60)).unwrap();
        assert_eq!(sample.calls, 1 + 2 + 3 + 4 + 5);
        assert_eq!(clients.len(), 5);
        assert!(clients.iter().all(|client| client.0 == 0));
    }

    #[test]
    fn one_wrong_answer_spoils_the_round() {
        let clients = vec![Countdown(3), Countdown(13)];
        let failure = drive(clients, Target::NONE, Duration::from_secs(60))
            .err()
            .unwrap();
        assert_eq!(failure.to_string(), "thirteen");
    }
}
