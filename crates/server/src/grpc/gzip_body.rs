//! Messages that may come compressed, made plain within a bound: tonic's own
//! inflates whatever comes before it looks at the size.

use std::io::Read as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use flate2::read::MultiGzDecoder;
use http_body::{Body as HttpBody, Frame};
use prost::bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use tonic::Status;
use tonic::body::Body;

use crate::grpc::protocol::{Encoding, HEAD};
use crate::status;

/// A body whose messages may be compressed. Each comes as one frame.
pub(crate) struct GzipBody {
    body: Body,
    encoding: Encoding,
    /// What a message may be, compressed or not, in bytes.
    most: usize,
    pending: BytesMut,
}

impl GzipBody {
    pub(crate) fn new(body: Body, encoding: Encoding, most: usize) -> Self {
        let pending = BytesMut::new();
        Self {
            body,
            encoding,
            most,
            pending,
        }
    }

    /// The next message, if all of it is there, as an uncompressed one.
    fn message(&mut self) -> Result<Option<Bytes>, Status> {
        let Some(&[flag, a, b, c, d]) = self.pending.first_chunk::<HEAD>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if length > self.most {
            return Err(status::too_large(self.most));
        }
        if self.pending.len() < HEAD + length {
            return Ok(None);
        }
        self.pending.advance(HEAD);
        let content = self.pending.split_to(length);
        let plain = match flag {
            0 => content.freeze(),
            1 if self.encoding == Encoding::Identity => return Err(status::unsaid_encoding()),
            1 => self.inflate(&content)?,
            _ => return Err(status::not_gzip()),
        };
        let mut message = BytesMut::with_capacity(HEAD + plain.len());
        message.put_u8(0);
        // No more than `most`, which is far below 4 GiB.
        message.put_u32(u32::try_from(plain.len()).unwrap_or(u32::MAX));
        message.put(plain);
        Ok(Some(message.freeze()))
    }

    fn inflate(&self, content: &[u8]) -> Result<Bytes, Status> {
        let mut plain = Vec::new();
        let read = MultiGzDecoder::new(content)
            .take(self.most as u64 + 1)
            .read_to_end(&mut plain)
            .map_err(|_| status::not_gzip())?;
        if read > self.most {
            return Err(status::too_large(self.most));
        }
        Ok(plain.into())
    }
}

impl HttpBody for GzipBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        loop {
            if let Some(message) = self.message().transpose() {
                return Poll::Ready(Some(message.map(Frame::data)));
            }
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.pending.extend_from_slice(&data),
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                // A message that was cut off is what the reader finds.
                None if !self.pending.is_empty() => {
                    let rest = self.pending.split().freeze();
                    return Poll::Ready(Some(Ok(Frame::data(rest))));
                }
                end => return Poll::Ready(end),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use http_body_util::{BodyExt as _, Full};
    use tonic::Code;

    use super::*;

    const MOST: usize = 4_096;

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(content).expect("memory");
        encoder.finish().expect("memory")
    }

    fn message(flag: u8, content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len()).expect("short");
        [&[flag], &length.to_be_bytes()[..], content].concat()
    }

    async fn read(sent: Vec<u8>) -> Result<Vec<u8>, Status> {
        let body = GzipBody::new(
            Body::new(Full::new(Bytes::from(sent))),
            Encoding::Gzip,
            MOST,
        );
        Ok(body.collect().await?.to_bytes().into())
    }

    #[tokio::test]
    async fn messages_become_plain() {
        let long = [b'a'; MOST];
        let sent = [
            message(1, &gzip(b"one")),
            message(0, b"two"),
            message(1, &gzip(&long)),
            // RFC 1952: a file may have several members.
            message(1, &[gzip(b"three, "), gzip(b"four")].concat()),
        ];
        let plain = [
            message(0, b"one"),
            message(0, b"two"),
            message(0, &long),
            message(0, b"three, four"),
        ];
        assert_eq!(read(sent.concat()).await.expect("plain"), plain.concat());
    }

    #[tokio::test]
    async fn what_would_be_too_large_is_refused_before_it_is_made() {
        let bomb = gzip(&vec![0; 3 << 20]);
        assert!(bomb.len() < MOST, "{}", bomb.len());
        for sent in [
            message(1, &bomb),
            message(0, &[0; MOST + 1]),
            // Claims it, and sends nothing.
            vec![1, 0x7f, 0, 0, 0],
        ] {
            let refused = read(sent).await.unwrap_err();
            assert_eq!(refused.code(), Code::OutOfRange);
        }
    }

    #[tokio::test]
    async fn what_is_not_gzip_is_refused() {
        let mut cut = gzip(b"a sentence of some length");
        cut.truncate(cut.len() - 10);
        let followed = [gzip(b"one"), b"junk".to_vec()].concat();
        for sent in [
            message(1, b"plain"),
            message(1, &cut),
            message(1, &followed),
            message(2, b""),
        ] {
            let refused = read(sent).await.unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument);
        }
        let unfinished = message(1, &gzip(b"one"));
        let half = &unfinished[..unfinished.len() - 3];
        assert_eq!(read(half.to_vec()).await.expect("as it came"), half);
    }
}
