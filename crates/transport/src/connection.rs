//! A connection that has begun to speak HTTP, as tonic's server serves it.

use std::{
    io::{self, IoSlice},
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    task::JoinHandle,
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

/// What is read at a time, in bytes, while no call of a connection was permitted, besides the rest of a frame: ten calls at
/// the most. They are judged before more is read, so that nobody without a key has many at once.
const READ_OF_STRANGERS: usize = 256;

/// GOAWAY with ENHANCE_YOUR_CALM (RFC 9113, sections 6.8 and 7). Any stream may have been processed.
const ENHANCE_YOUR_CALM: [u8; 17] = [
    0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0xb,
];

/// What was read to know the protocol: the HTTP/2 preface, or the beginning of something else.
#[derive(Debug)]
pub(super) struct Greeting {
    read: [u8; PREFACE.len()],
    length: usize,
    is_http2: bool,
}

impl Greeting {
    pub(super) fn new(read: [u8; PREFACE.len()], length: usize) -> Self {
        Self {
            read,
            length,
            is_http2: read[..length] == PREFACE[..],
        }
    }

    pub(super) fn is_http2(&self) -> bool {
        self.is_http2
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.read[..self.length]
    }
}

/// A stream whose greeting was read; reading begins with the greeting again, for the HTTP library expects it. Whoever
/// sends too many HTTP/2 frames besides permitted calls is cut off.
#[derive(Debug)]
pub(super) struct Connection<T> {
    io: T,
    info: ConnectionInfo,
    greeting: Greeting,
    replayed: usize,
    meter: FrameMeter,
    /// Ends when all tasks had their turn that were waiting for it when a call was read, while none was permitted.
    others: Option<JoinHandle<()>>,
    slot: Slot,
}

impl<T> Connection<T> {
    /// Of a peer that may have so many calls in flight at once.
    pub(super) fn new(
        io: T,
        greeting: Greeting,
        peer: SocketAddr,
        slot: Slot,
        max_streams: u32,
    ) -> Self {
        let info = ConnectionInfo::new(peer);
        Self {
            io,
            greeting,
            replayed: 0,
            meter: FrameMeter::new(max_streams, info.permitted_calls(), timers::now()),
            info,
            others: None,
            slot,
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

impl<T: AsyncRead + Unpin> Connection<T> {
    /// Reads what is read at a time of strangers. Between two such reads, others have their turn: this one would go on
    /// as long as it gets calls to hand over.
    fn poll_read_a_little(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(others) = &mut self.others {
            drop(ready!(Pin::new(others).poll(cx)));
            self.others = None;
        }
        let size = READ_OF_STRANGERS + self.meter.payload_left();
        let size = size.min(buf.remaining());
        let mut little = ReadBuf::new(buf.initialize_unfilled_to(size));
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut little))?;
        let read = little.filled().len();
        buf.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for Connection<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.replayed < self.greeting.length {
            let rest = &self.greeting.bytes()[self.replayed..];
            let taken = rest.len().min(buf.remaining());
            buf.put_slice(&rest[..taken]);
            self.replayed += taken;
            return Poll::Ready(Ok(()));
        }
        if !self.greeting.is_http2() {
            if self.meter.has_permitted_calls() {
                self.slot.permit();
            }
            return Pin::new(&mut self.io).poll_read(cx, buf);
        }
        let before = buf.filled().len();
        if self.meter.has_permitted_calls() {
            self.slot.permit();
            ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        } else {
            ready!(self.poll_read_a_little(cx, buf))?;
        }
        let read = &buf.filled()[before..];
        if let Err(Excess) = self.meter.read(read, timers::now) {
            return Poll::Ready(Err(self.refuse_frames(cx)));
        }
        if !self.meter.has_permitted_calls() && self.meter.take_call() {
            self.others = Some(tokio::spawn(async {}));
        }
        Poll::Ready(Ok(()))
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
    use std::{future::poll_fn, net::Ipv4Addr, num::NonZeroUsize, sync::Arc};

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
        let mut connection =
            Connection::new(io, Greeting::new(*PREFACE, PREFACE.len()), peer, slot, 1);

        let mut first = [0; 10];
        connection.read_exact(&mut first).await.unwrap();
        let mut rest = Vec::new();
        connection.read_to_end(&mut rest).await.unwrap();

        assert_eq!(first, PREFACE[..10]);
        assert_eq!(rest, [&PREFACE[10..], SETTINGS].concat());
    }

    #[tokio::test]
    async fn little_is_read_at_a_time_until_a_call_is_permitted() {
        const CALL: &[u8] = b"\0\0\x08\x01\x04\0\0\0\x01........";
        let sent = CALL.repeat(100);
        let admission = Arc::new(Admission::new(NonZeroUsize::MIN, 1, 1));
        let slot = admission.admit(Ipv4Addr::LOCALHOST.into()).unwrap();
        let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        let (mut peer_io, io) = tokio::io::duplex(64 * 1024);
        peer_io.write_all(&sent).await.unwrap();
        peer_io.write_all(&sent).await.unwrap();
        let mut connection =
            Connection::new(io, Greeting::new(*PREFACE, PREFACE.len()), peer, slot, 1);
        let mut buffer = vec![0; 16 * 1024];
        connection
            .read_exact(&mut [0; PREFACE.len()])
            .await
            .unwrap();

        let mut read = 0;
        while read < sent.len() {
            let little = connection.read(&mut buffer).await.unwrap();
            let most = READ_OF_STRANGERS + CALL.len();
            assert!((1..=most).contains(&little), "{little}");
            read += little;
            let mut buf = ReadBuf::new(&mut buffer);
            let again =
                poll_fn(|cx| Poll::Ready(Pin::new(&mut connection).poll_read(cx, &mut buf)));
            assert!(again.await.is_pending());
        }

        connection.info.permit_call();
        let more = connection.read(&mut buffer).await.unwrap();
        assert_eq!(read + more, 2 * sent.len());
    }
}
