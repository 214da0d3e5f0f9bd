//! The connections of one generating thread to the server that it calls.
//!
//! A generator shares the cores with what it measures. Timed calls therefore go
//! out over HTTP/2 itself, without the layers of a gRPC channel.

use std::net::SocketAddr;
use std::time::Duration;

use h2::client::SendRequest;
use prost::Message;
use prost::bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use tokio::net::TcpStream;
use tonic::codegen::http::header::{AUTHORIZATION, CONTENT_TYPE, TE};
use tonic::codegen::http::uri::{Authority, PathAndQuery, Scheme, Uri};
use tonic::codegen::http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

use crate::failure::{Context as _, Failure};

const CONNECTING: Duration = Duration::from_secs(5);

/// How many bytes of answers may be on their way, of a call and of a connection.
const WINDOW: u32 = 1 << 20;

/// Whether the message is compressed, and its length.
const PREFIX_BYTES: usize = 5;

/// The connections of one thread, opened as clients ask for them and then
/// shared among them in turn.
#[derive(Debug)]
pub(crate) struct Connections {
    address: SocketAddr,
    most: usize,
    open: Vec<Connection>,
    next: usize,
}

/// A connection on which messages are exchanged, one for one.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    authority: Authority,
    requests: SendRequest<Bytes>,
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
    pub(crate) async fn next(&mut self) -> Result<Connection, Failure> {
        if self.open.len() < self.most {
            self.open.push(Connection::open(self.address).await?);
        }
        let connection = self.open[self.next % self.open.len()].clone();
        self.next += 1;
        Ok(connection)
    }
}

impl Connection {
    /// Connects, and leaves the reading to a task of this runtime.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, Failure> {
        let doing = format!("connecting to {address}");
        let stream = tokio::time::timeout(CONNECTING, TcpStream::connect(address))
            .await
            .context(&doing)?
            .context(&doing)?;
        stream.set_nodelay(true).context(&doing)?;
        let (requests, connection) = h2::client::Builder::new()
            .initial_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .handshake(stream)
            .await
            .context(&doing)?;
        // Its end is seen by the calls.
        tokio::spawn(connection);
        Ok(Self {
            authority: address.to_string().parse().context("an authority")?,
            requests,
        })
    }

    /// Makes one call.
    ///
    /// # Errors
    /// What the server answered in place of a message.
    pub(crate) async fn call<A: Message + Default>(
        &mut self,
        path: &'static str,
        question: &impl Message,
    ) -> Result<A, Status> {
        let question = question.encode_to_vec().into();
        let path = PathAndQuery::from_static(path);
        let answer = self.exchange(path, None, question).await?;
        A::decode(answer).map_err(|error| Status::internal(error.to_string()))
    }

    /// Makes one call of bytes, as the caller of this API key.
    ///
    /// # Errors
    /// What the server answered in place of a message.
    pub(crate) async fn exchange(
        &mut self,
        path: PathAndQuery,
        authorization: Option<HeaderValue>,
        question: Bytes,
    ) -> Result<Bytes, Status> {
        let mut requests = self.requests.clone().ready().await.map_err(broken)?;
        let request = self.request(path, authorization)?;
        let (answer, mut body) = requests.send_request(request, false).map_err(broken)?;
        body.send_data(framed(question), true).map_err(broken)?;
        let (head, mut body) = answer.await.map_err(broken)?.into_parts();
        if head.status != StatusCode::OK {
            return Err(Status::unavailable(format!("HTTP status {}", head.status)));
        }
        let mut received = BytesMut::new();
        while let Some(part) = body.data().await {
            let part = part.map_err(broken)?;
            // An answer that fits the window needs no more of it.
            let _ = body.flow_control().release_capacity(part.len());
            received.extend_from_slice(&part);
        }
        let trailers = body.trailers().await.map_err(broken)?;
        judge(&head.headers, trailers.as_ref())?;
        unframed(received.freeze())
    }

    fn request(
        &self,
        path: PathAndQuery,
        authorization: Option<HeaderValue>,
    ) -> Result<Request<()>, Status> {
        let uri = Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(self.authority.clone())
            .path_and_query(path)
            .build();
        let mut request = Request::new(());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri.map_err(|error| Status::internal(error.to_string()))?;
        let headers = request.headers_mut();
        headers.insert(TE, HeaderValue::from_static("trailers"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        if let Some(authorization) = authorization {
            headers.insert(AUTHORIZATION, authorization);
        }
        Ok(request)
    }
}

/// A channel, for what prepares a measurement and is not timed.
pub(crate) async fn connect(address: SocketAddr) -> Result<Channel, Failure> {
    let endpoint = Endpoint::from_shared(format!("http://{address}"))
        .context("the server's address")?
        .connect_timeout(CONNECTING)
        .timeout(Duration::from_secs(30));
    endpoint
        .connect()
        .await
        .context(&format!("connecting to {address}"))
}

/// The status that ends an answer; without a message it is among the headers.
fn judge(headers: &HeaderMap, trailers: Option<&HeaderMap>) -> Result<(), Status> {
    let status = trailers
        .and_then(Status::from_header_map)
        .or_else(|| Status::from_header_map(headers));
    match status {
        Some(status) if status.code() == Code::Ok => Ok(()),
        Some(status) => Err(status),
        None => Err(Status::unknown("an answer without a status")),
    }
}

fn framed(message: Bytes) -> Bytes {
    let mut frame = BytesMut::with_capacity(PREFIX_BYTES + message.len());
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).expect("questions are short"));
    frame.put(message);
    frame.freeze()
}

/// The one message of an answer.
fn unframed(mut frame: Bytes) -> Result<Bytes, Status> {
    if frame.len() < PREFIX_BYTES || frame.get_u8() != 0 {
        return Err(Status::internal("an answer that is no message"));
    }
    match frame.get_u32() as usize == frame.len() {
        true => Ok(frame),
        false => Err(Status::internal("an answer of another length")),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "as `map_err` hands it over")]
fn broken(error: h2::Error) -> Status {
    Status::unavailable(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_whole_message_is_read_and_nothing_else() {
        let frame = framed(Bytes::from_static(b"abc"));
        assert_eq!(frame, &b"\0\0\0\0\x03abc"[..]);
        assert_eq!(unframed(frame).unwrap(), &b"abc"[..]);
        for bytes in [
            &b""[..],
            b"\0\0\0\0",
            b"\x01\0\0\0\x03abc",
            b"\0\0\0\0\x02abc",
        ] {
            assert!(
                unframed(Bytes::copy_from_slice(bytes)).is_err(),
                "{bytes:?}"
            );
        }
    }

    #[test]
    fn an_answer_is_good_only_with_status_0() {
        let of = |status: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-status", status.parse().unwrap());
            headers
        };
        let none = HeaderMap::new();
        assert!(judge(&none, Some(&of("0"))).is_ok());
        let code = |headers: &HeaderMap, trailers: Option<&HeaderMap>| {
            judge(headers, trailers).unwrap_err().code()
        };
        assert_eq!(code(&none, Some(&of("8"))), Code::ResourceExhausted);
        assert_eq!(code(&of("16"), None), Code::Unauthenticated);
        assert_eq!(code(&none, None), Code::Unknown);
    }
}
