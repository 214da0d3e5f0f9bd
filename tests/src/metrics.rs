//! What a replica shows to Prometheus.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::services;

/// The address on which one replica shows its metrics: `metrics.listen`.
#[derive(Debug, Clone, Copy)]
pub struct Metrics(SocketAddr);

impl Metrics {
    /// An address that is free.
    pub async fn somewhere() -> Self {
        Self(services::free_address().await)
    }

    /// The address, as the configuration has it.
    #[must_use]
    pub fn listen(&self) -> String {
        self.0.to_string()
    }

    /// The value of a metric, the first if there are several with this name;
    /// `None` if there is none.
    pub async fn value(&self, name: &str) -> Option<f64> {
        let mut line = TcpStream::connect(self.0).await.ok()?;
        let request = "GET /metrics HTTP/1.1\r\nhost: metrics\r\nconnection: close\r\n\r\n";
        line.write_all(request.as_bytes()).await.ok()?;
        let mut answer = String::new();
        line.read_to_string(&mut answer).await.ok()?;
        answer.lines().find_map(|line| {
            let rest = line.strip_prefix(name)?;
            let is_it = rest.starts_with([' ', '{']);
            is_it.then(|| rest.rsplit(' ').next()?.parse().ok())?
        })
    }
}
