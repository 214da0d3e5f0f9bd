//! A connection that has proved to speak HTTP/2, as tonic serves it.

use std::{
    io::{self, IoSlice},
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;
use tonic::transport::server::Connected;

use super::{
    admission::{Refusal, Slot},
    connection_info::ConnectionInfo,
    frame_meter::{Excess, FrameMeter},
    timers,
    x509::PeerCertificate,
};

/// What every HTTP/2 client sends first (RFC 9113 §3.4).
pub(super) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// GOAWAY with ENHANCE_YOUR_CALM (RFC 9113, sections 6.8 and 7). Any stream may have been processed.
const ENHANCE_YOUR_CALM: [u8; 17] = [
    0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0xb,
];

/// A stream whose preface was read; reading begins with the preface again, for the HTTP/2 library expects it. Whoever
/// sends too much besides permitted calls is cut off.
#[derive(Debug)]
pub(super) struct Connection<T> {
    io: T,
    info: ConnectionInfo,
    replayed: usize,
    meter: FrameMeter,
    _slot: Slot,
}

impl<T> Connection<T> {
    /// Of a peer that may have so many calls in flight at once.
    pub(super) fn new(io: T, peer: SocketAddr, slot: Slot, max_streams: u32) -> Self {
        let info = ConnectionInfo::new(peer);
        Self {
            io,
            replayed: 0,
            meter: FrameMeter::new(max_streams, info.permitted_calls(), timers::now()),
            info,
            _slot: slot,
        }
    }
}

impl Connected for Connection<TcpStream> {
    type ConnectInfo = ConnectionInfo;

    fn connect_info(&self) -> ConnectionInfo {
        self.info.clone()
    }
}

impl Connected for Connection<TlsStream<TcpStream>> {
    type ConnectInfo = ConnectionInfo;

    fn connect_info(&self) -> ConnectionInfo {
        let shown = self.io.get_ref().1.peer_certificates();
        let own = shown.and_then(<[_]>::first);
        self.info.clone().of(own.map(PeerCertificate::of))
    }
}

impl<T: AsyncWrite + Unpin> Connection<T> {
    /// Cuts the peer off, and tells it why if that takes no waiting.
    fn refuse_frames(&mut self, cx: &mut Context<'_>) -> io::Error {
        tracing::debug!(peer = %self.info.peer(), "connection cut: too many frames besides permitted calls");
        Refusal::TooManyFrames.count();
        let goaway = Pin::new(&mut self.io).poll_write(cx, &ENHANCE_YOUR_CALM);
        if goaway.is_ready() {
            drop(Pin::new(&mut self.io).poll_flush(cx));
        }
        io::Error::new(
            io::ErrorKind::ConnectionAborted,
            "too many frames besides permitted calls",
        )
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for Connection<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.replayed < PREFACE.len() {
            let rest = &PREFACE[self.replayed..];
            let taken = rest.len().min(buf.remaining());
            buf.put_slice(&rest[..taken]);
            self.replayed += taken;
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        std::task::ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        let read = &buf.filled()[before..];
        match self.meter.read(read, timers::now) {
            Ok(()) => Poll::Ready(Ok(())),
            Err(Excess) => Poll::Ready(Err(self.refuse_frames(cx))),
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Connection<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, num::NonZeroUsize, sync::Arc};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::admission::Admission;

    const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";

    #[tokio::test]
    async fn the_preface_is_read_again_in_pieces_of_any_size() {
        let admission = Arc::new(Admission::new(NonZeroUsize::MIN, 1, 1));
        let slot = admission.admit(Ipv4Addr::LOCALHOST.into()).unwrap();
        let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        let (mut peer_io, io) = tokio::io::duplex(64);
        peer_io.write_all(SETTINGS).await.unwrap();
        drop(peer_io);
        let mut connection = Connection::new(io, peer, slot, 1);

        let mut first = [0; 10];
        connection.read_exact(&mut first).await.unwrap();
        let mut rest = Vec::new();
        connection.read_to_end(&mut rest).await.unwrap();

        assert_eq!(first, PREFACE[..10]);
        assert_eq!(rest, [&PREFACE[10..], SETTINGS].concat());
    }
}
