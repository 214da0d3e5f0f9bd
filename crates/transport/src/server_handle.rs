//! The handle of a transport that serves: it tells when a thread has ended, and drains.

use std::{net::SocketAddr, sync::Arc, thread::JoinHandle, time::Duration};

use tokio::{
    sync::{mpsc::UnboundedReceiver, watch},
    time::{Instant, timeout_at},
};

use super::{admission::Admission, timers, worker::WorkerEnd};

/// The time beyond the drain's limit in which the threads must end; a handler that blocks its thread prevents it.
const STOP_GRACE: Duration = Duration::from_secs(2);

/// A serving thread returns how many of its connections were still open when it stopped.
type ThreadOutcome = Result<usize, String>;

/// A transport that serves. Dropping it closes every connection at once; [`drain`](Self::drain) does it kindly.
#[derive(Debug)]
pub struct ServerHandle {
    local_addr: SocketAddr,
    admission: Arc<Admission>,
    stop: watch::Sender<Option<Instant>>,
    ends: UnboundedReceiver<WorkerEnd<ThreadOutcome>>,
    threads: Vec<JoinHandle<()>>,
}

/// A thread of the transport that ended unasked: the process has lost capacity and must end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the thread {name} has ended: {reason}")]
pub struct ThreadEnded {
    /// The thread's name, such as `grpc-0`.
    pub name: String,
    /// The text of its panic or error.
    pub reason: String,
}

/// How a drain went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrainReport {
    /// Connections that were still open at the limit and were closed then.
    pub connections_cut: usize,
    /// Threads that did not end in time or ended by a panic; 0 unless a handler blocks or there is a defect.
    pub threads_lost: usize,
}

impl ServerHandle {
    pub(super) fn new(
        local_addr: SocketAddr,
        admission: Arc<Admission>,
        stop: watch::Sender<Option<Instant>>,
        ends: UnboundedReceiver<WorkerEnd<ThreadOutcome>>,
        threads: Vec<JoinHandle<()>>,
    ) -> Self {
        Self {
            local_addr,
            admission,
            stop,
            ends,
            threads,
        }
    }

    /// The address that is served.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// The connections held now, those in their handshake included.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.admission.connections()
    }

    /// Waits until a thread dies, which is for ever if all goes well. Dropping the future loses nothing.
    pub async fn failed(&mut self) -> ThreadEnded {
        let Some(end) = self.ends.recv().await else {
            return ThreadEnded {
                name: "grpc".to_owned(),
                reason: "every thread has ended".to_owned(),
            };
        };
        let reason = match end.outcome {
            Ok(Ok(_)) => "it stopped serving".to_owned(),
            Ok(Err(reason)) | Err(reason) => reason,
        };
        ThreadEnded {
            name: end.name,
            reason,
        }
    }

    /// Stops accepting, sends GOAWAY to every connection, waits at most `limit` for the calls in flight, closes
    /// what remains and joins the threads.
    ///
    /// A streaming response that never ends by itself keeps its connection open until the limit.
    pub async fn drain(mut self, limit: Duration) -> DrainReport {
        let deadline = timers::now() + limit;
        self.stop.send_replace(Some(deadline));
        let mut report = DrainReport {
            connections_cut: 0,
            threads_lost: 0,
        };
        // The channel closes with the last thread.
        loop {
            match timeout_at(deadline + STOP_GRACE, self.ends.recv()).await {
                Ok(Some(end)) => match end.outcome {
                    Ok(Ok(cut)) => report.connections_cut += cut,
                    Ok(Err(reason)) | Err(reason) => {
                        tracing::error!(
                            thread = end.name,
                            reason,
                            "a thread failed while draining"
                        );
                        report.threads_lost += 1;
                    }
                },
                Ok(None) => break,
                Err(_) => {
                    report.connections_cut += self.admission.connections();
                    break;
                }
            }
        }
        for thread in self.threads.drain(..) {
            // A thread that hangs is left to the end of the process.
            if thread.is_finished() || self.ends.is_closed() {
                drop(thread.join());
            } else {
                tracing::error!(
                    thread = thread.thread().name(),
                    "a thread did not end in time"
                );
                report.threads_lost += 1;
            }
        }
        report
    }
}
