//! What a new connection must do before it is served: TLS if there is TLS, then the HTTP/2 preface or, where it is
//! spoken, the first bytes of HTTP/1.1, in time.

use std::{future::Future, io, net::SocketAddr};

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    net::TcpStream,
    time::{Instant, timeout_at},
};

use super::{
    TransportConfig,
    admission::{Refusal, Slot},
    connection::{Connection, Greeting, PREFACE},
};

/// A connection as the acceptor hands it to a core; not yet registered with any runtime.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) tcp: std::net::TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) preface_due: Instant,
    pub(super) slot: Slot,
}

/// Why there is nothing to serve.
#[derive(Debug)]
enum HandshakeError {
    /// The peer went away, as port scanners and TCP health checks do. Not counted.
    Gone(io::Error),
    /// We closed the connection.
    Refused(Refusal),
}

impl Accepted {
    /// Reads up to the end of the greeting; `secure` puts TLS, or nothing, over the socket.
    pub(super) async fn handshake<T, F>(
        self,
        config: &TransportConfig,
        secure: impl FnOnce(TcpStream) -> F,
    ) -> Option<Connection<T>>
    where
        T: AsyncRead + Unpin,
        F: Future<Output = io::Result<T>>,
    {
        let greeting = async {
            let tcp = TcpStream::from_std(self.tcp).map_err(HandshakeError::Gone)?;
            let mut io = secure(tcp).await.map_err(tls_error)?;
            let greeting = read_greeting(&mut io).await?;
            if !greeting.is_http2() && !config.protocols.have_http1() {
                return Err(HandshakeError::Refused(Refusal::NotHttp2));
            }
            Ok((io, greeting))
        };
        let outcome = timeout_at(self.preface_due, greeting)
            .await
            .unwrap_or(Err(HandshakeError::Refused(Refusal::PrefaceTimeout)));
        match outcome {
            Ok((io, greeting)) => {
                let max_streams = config.max_concurrent_streams;
                Some(Connection::new(
                    io,
                    greeting,
                    self.peer,
                    self.slot,
                    max_streams,
                ))
            }
            Err(HandshakeError::Gone(error)) => {
                tracing::debug!(peer = %self.peer, %error, "connection ended before its preface");
                None
            }
            Err(HandshakeError::Refused(refusal)) => {
                tracing::debug!(peer = %self.peer, ?refusal, "connection refused");
                refusal.count();
                None
            }
        }
    }
}

/// rustls reports a broken protocol as `InvalidData`; every other kind is the socket's.
fn tls_error(error: io::Error) -> HandshakeError {
    if error.kind() == io::ErrorKind::InvalidData {
        tracing::debug!(%error, "TLS handshake failed");
        HandshakeError::Refused(Refusal::TlsHandshake)
    } else {
        HandshakeError::Gone(error)
    }
}

/// Reads the HTTP/2 preface. Stops at the first byte that differs, so that a client of another protocol does not wait
/// for the deadline.
async fn read_greeting(io: &mut (impl AsyncRead + Unpin)) -> Result<Greeting, HandshakeError> {
    let mut read = [0; PREFACE.len()];
    let mut length = 0;
    while length < PREFACE.len() {
        let more = io
            .read(&mut read[length..])
            .await
            .map_err(HandshakeError::Gone)?;
        if more == 0 {
            let error = io::Error::from(io::ErrorKind::UnexpectedEof);
            return Err(HandshakeError::Gone(error));
        }
        length += more;
        if read[..length] != PREFACE[..length] {
            break;
        }
    }
    Ok(Greeting::new(read, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn exactly_the_preface_is_taken() {
        let mut sent: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nSETTINGS";
        let greeting = read_greeting(&mut sent).await.unwrap();
        assert!(greeting.is_http2());
        assert_eq!(sent, b"SETTINGS");
    }

    #[tokio::test]
    async fn another_protocol_is_noticed_at_its_first_byte() {
        for mut sent in [
            &b"GET / HTTP/1.1\r\n"[..],
            b"\x16\x03\x01",
            b"PRI * HTTP/1.1",
            b"POST /token/pair HTTP/1.1\r\n",
        ] {
            let whole = sent;
            let greeting = read_greeting(&mut sent).await.unwrap();
            assert!(!greeting.is_http2());
            assert_eq!([greeting.bytes(), sent].concat(), whole);
        }
    }

    #[tokio::test]
    async fn a_peer_that_leaves_early_is_not_counted_as_refused() {
        let mut sent: &[u8] = b"PRI * HT";
        let error = read_greeting(&mut sent).await.unwrap_err();
        assert!(matches!(error, HandshakeError::Gone(_)));
    }
}
