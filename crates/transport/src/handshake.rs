//! What a new connection must do before it is served: TLS if there is TLS, then the HTTP/2 preface, in time.

use std::{future::Future, io, net::SocketAddr};

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    net::TcpStream,
    time::{Instant, timeout_at},
};

use super::{
    admission::{Refusal, Slot},
    connection::{Connection, PREFACE},
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
    /// Reads up to the end of the preface; `secure` puts TLS, or nothing, over the socket. The connection may have so
    /// many streams at once.
    pub(super) async fn handshake<T, F>(
        self,
        max_streams: u32,
        secure: impl FnOnce(TcpStream) -> F,
    ) -> Option<Connection<T>>
    where
        T: AsyncRead + Unpin,
        F: Future<Output = io::Result<T>>,
    {
        let greeting = async {
            let tcp = TcpStream::from_std(self.tcp).map_err(HandshakeError::Gone)?;
            let mut io = secure(tcp).await.map_err(tls_error)?;
            read_preface(&mut io).await?;
            Ok(io)
        };
        let outcome = timeout_at(self.preface_due, greeting)
            .await
            .unwrap_or(Err(HandshakeError::Refused(Refusal::PrefaceTimeout)));
        match outcome {
            Ok(io) => Some(Connection::new(io, self.peer, self.slot, max_streams)),
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

/// Stops at the first byte that differs, so that a client of another protocol does not wait for the deadline.
async fn read_preface(io: &mut (impl AsyncRead + Unpin)) -> Result<(), HandshakeError> {
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
            return Err(HandshakeError::Refused(Refusal::NotHttp2));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn exactly_the_preface_is_taken() {
        let mut sent: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nSETTINGS";
        read_preface(&mut sent).await.unwrap();
        assert_eq!(sent, b"SETTINGS");
    }

    #[tokio::test]
    async fn another_protocol_is_refused_at_its_first_byte() {
        for mut sent in [
            &b"GET / HTTP/1.1\r\n"[..],
            b"\x16\x03\x01",
            b"PRI * HTTP/1.1",
        ] {
            let error = read_preface(&mut sent).await.unwrap_err();
            assert!(matches!(error, HandshakeError::Refused(Refusal::NotHttp2)));
        }
    }

    #[tokio::test]
    async fn a_peer_that_leaves_early_is_not_counted_as_refused() {
        let mut sent: &[u8] = b"PRI * HT";
        let error = read_preface(&mut sent).await.unwrap_err();
        assert!(matches!(error, HandshakeError::Gone(_)));
    }
}
