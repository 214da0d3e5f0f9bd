//! The connections of one generating thread to the server that it calls.

use std::net::SocketAddr;
use std::time::Duration;

use tonic::transport::{Channel, Endpoint};

use crate::failure::{Context as _, Failure};

/// The connections of one thread, opened as clients ask for them and then
/// shared among them in turn.
#[derive(Debug)]
pub(crate) struct Connections {
    address: SocketAddr,
    most: usize,
    open: Vec<Channel>,
    next: usize,
}

impl Connections {
    pub(crate) fn new(address: SocketAddr, most: usize) -> Self {
        Self {
            address,
            most: most.max(1),
            open: Vec::new(),
            next: 0,
        }
    }

    /// A connection; it lives on the runtime on which it was first asked for.
    pub(crate) async fn next(&mut self) -> Result<Channel, Failure> {
        if self.open.len() < self.most {
            self.open.push(connect(self.address).await?);
        }
        let channel = self.open[self.next % self.open.len()].clone();
        self.next += 1;
        Ok(channel)
    }
}

/// One connection.
pub(crate) async fn connect(address: SocketAddr) -> Result<Channel, Failure> {
    let endpoint = Endpoint::from_shared(format!("http://{address}"))
        .context("the server's address")?
        .connect_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(30));
    endpoint
        .connect()
        .await
        .context(&format!("connecting to {address}"))
}
