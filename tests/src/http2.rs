//! A connection of HTTP/2 whose requests may be of any form and need not end.

use std::net::SocketAddr;
use std::time::Duration;

use h2::SendStream;
use h2::client::{ResponseFuture, SendRequest};
use prost::bytes::Bytes;
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tonic::codegen::http::{HeaderMap, Request, Response};

/// A connection. It ends when it is dropped.
#[derive(Debug)]
pub struct Http2 {
    requests: SendRequest<Bytes>,
    connection: AbortHandle,
}

/// A request under way, whose body has not ended.
#[derive(Debug)]
pub struct Unfinished {
    /// Where the rest of the body goes.
    pub body: SendStream<Bytes>,
    response: ResponseFuture,
}

impl Http2 {
    /// Connects.
    ///
    /// # Panics
    /// If nobody listens there.
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        let handshake = h2::client::handshake(stream).await;
        let (requests, connection) = handshake.expect("HTTP/2");
        let connection = tokio::spawn(async {
            connection.await.ok();
        });
        Self {
            requests,
            connection: connection.abort_handle(),
        }
    }

    /// Sends the headers of a request and nothing more.
    ///
    /// # Panics
    /// If the connection is gone.
    pub async fn begin(&self, request: Request<()>) -> Unfinished {
        let requests = self.requests.clone().ready().await;
        let sent = requests.expect("ready").send_request(request, false);
        let (response, body) = sent.expect("the connection is there");
        Unfinished { body, response }
    }
}

impl Drop for Http2 {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl Unfinished {
    /// The headers of the answer, if it comes within the time, and its trailers,
    /// if there are any: what came of the call is in the one or the other.
    ///
    /// # Panics
    /// If the connection breaks.
    pub async fn answer(self, patience: Duration) -> Option<(Response<()>, HeaderMap)> {
        let answer = timeout(patience, self.response).await.ok()?;
        let (head, mut body) = answer.expect("an answer").into_parts();
        let ended = timeout(patience, async {
            while let Some(data) = body.data().await {
                data.expect("data");
            }
            body.trailers().await.expect("trailers").unwrap_or_default()
        });
        let trailers = ended.await.ok()?;
        Some((Response::from_parts(head, ()), trailers))
    }
}
