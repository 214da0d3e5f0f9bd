//! Looks after connections: a network that swallows packets tells nobody, and a
//! server that was replaced goes on answering reads. So those that are free are
//! tested every few seconds, and the dead and the outdated ones are gone before
//! a call needs them.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::pinned::PinnedConnection;
use super::pool::ConnectionPool;

/// How long a connection goes untested.
const PERIOD: Duration = Duration::from_secs(2);

/// The task that tests. It ends when this is dropped.
pub(in crate::database) struct Probe(JoinHandle<()>);

impl Probe {
    pub(super) fn start(pool: ConnectionPool, pinned: Vec<PinnedConnection>) -> Self {
        Self(tokio::spawn(async move {
            loop {
                sleep(PERIOD).await;
                pool.probe(PERIOD).await;
                for connection in &pinned {
                    connection.probe(PERIOD).await;
                }
            }
        }))
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.0.abort();
    }
}
