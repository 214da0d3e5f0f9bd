//! What a replica shows on its metrics port.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::services;

/// The address on which one replica shows its metrics: `metrics.listen`.
#[derive(Debug, Clone, Copy)]
pub struct Metrics(SocketAddr);

/// An answer of the port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its status.
    pub status: u16,
    /// Its headers, in small letters, a line each.
    pub headers: String,
    /// What it says.
    pub body: String,
}

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

    /// A connection to the port.
    ///
    /// # Panics
    /// If there is none.
    pub async fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.0).await;
        stream.expect("the port for metrics is open")
    }

    /// The answer to a request without a body; `None` if there is none.
    pub async fn request(&self, method: &str, path: &str) -> Option<Page> {
        let mut line = TcpStream::connect(self.0).await.ok()?;
        let request = format!("{method} {path} HTTP/1.1\r\nhost: metrics\r\n\r\n");
        line.write_all(request.as_bytes()).await.ok()?;
        let mut answer = String::new();
        line.read_to_string(&mut answer).await.ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let (status, headers) = head.split_once("\r\n")?;
        Some(Page {
            status: status.split(' ').nth(1)?.parse().ok()?,
            headers: headers.to_ascii_lowercase(),
            body: body.to_owned(),
        })
    }

    /// The page at a path.
    ///
    /// # Panics
    /// If the port does not answer.
    pub async fn page(&self, path: &str) -> Page {
        let page = self.request("GET", path).await;
        page.unwrap_or_else(|| panic!("{path} is not answered"))
    }

    /// The value of a metric, the sum if there are several with this name; `None`
    /// if there is none.
    pub async fn value(&self, name: &str) -> Option<f64> {
        let page = self.request("GET", "/metrics").await?;
        let values = page.body.lines().filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            let is_it = rest.starts_with([' ', '{']);
            is_it.then(|| rest.rsplit(' ').next()?.parse::<f64>().ok())?
        });
        values.reduce(|sum, value| sum + value)
    }
}
