//! A unary call without tonic's streams: one message is read, and an answer that
//! is encoded already is sent as it is.

use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use http_body::{Body as HttpBody, Frame};
use http_body_util::BodyExt as _;
use prost::Message;
use prost::bytes::{Buf as _, Bytes, BytesMut};
use tonic::Status;
use tonic::body::Body;

use crate::grpc::protocol::HEAD;
use crate::status::Failure;

const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const OK: HeaderValue = HeaderValue::from_static("0");

/// An answer: its message, then the status.
struct Answer {
    message: Option<Bytes>,
    has_ended: bool,
}

/// Reads the one message of a request, which is not compressed any more.
///
/// # Errors
/// If the body fails, or is not a message.
pub(crate) async fn read<M, B>(body: B) -> Result<M, Failure>
where
    M: Message + Default,
    B: HttpBody<Data = Bytes, Error = Status>,
{
    let message = read_encoded(body).await?;
    M::decode(message).map_err(|error| Failure::Unreadable(error.to_string()))
}

/// Reads the one message of a request as its bytes.
///
/// # Errors
/// If the body fails, or has no message.
pub(crate) async fn read_encoded<B>(body: B) -> Result<Bytes, Failure>
where
    B: HttpBody<Data = Bytes, Error = Status>,
{
    let mut content = content(body).await?;
    let unreadable = |why: &str| Failure::Unreadable(why.to_owned());
    let Some((&[flag, a, b, c, d], message)) = content.split_first_chunk::<HEAD>() else {
        return Err(unreadable("It is missing."));
    };
    if flag != 0 {
        return Err(unreadable("It is compressed, and no encoding is named."));
    }
    if u32::from_be_bytes([a, b, c, d]) as usize != message.len() {
        return Err(unreadable("It broke off."));
    }
    content.advance(HEAD);
    Ok(content)
}

/// All of a body: without a copy, if it comes in one frame.
async fn content(body: impl HttpBody<Data = Bytes, Error = Status>) -> Result<Bytes, Failure> {
    let mut body = pin!(body);
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while !body.is_end_stream() {
        let Some(frame) = body.frame().await else {
            break;
        };
        let frame = frame.map_err(|status| Failure::from(&status))?;
        match frame.into_data() {
            Ok(data) if first.is_empty() => first = data,
            Ok(data) => {
                if all.is_empty() {
                    all.extend_from_slice(&first);
                }
                all.extend_from_slice(&data);
            }
            Err(_trailers) => {}
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

/// The response with a message in its frame.
pub(crate) fn response(message: Bytes) -> Response<Body> {
    let answer = Answer {
        message: Some(message),
        has_ended: false,
    };
    let mut response = Response::new(Body::new(answer));
    // With room for those that others add.
    *response.headers_mut() = HeaderMap::with_capacity(4);
    response.headers_mut().insert(CONTENT_TYPE, GRPC);
    response
}

/// A message in its frame ("gRPC over HTTP/2", "Length-Prefixed-Message").
pub(crate) fn framed(message: &impl Message) -> Vec<u8> {
    let length = message.encoded_len();
    let mut framed = Vec::with_capacity(HEAD + length);
    framed.push(0);
    // What is answered is far below 4 GiB.
    framed.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    message.encode_raw(&mut framed);
    framed
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Some(message) = self.message.take() {
            return Poll::Ready(Some(Ok(Frame::data(message))));
        }
        if self.has_ended {
            return Poll::Ready(None);
        }
        self.has_ended = true;
        let trailers = HeaderMap::from_iter([(GRPC_STATUS, OK)]);
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.has_ended
    }
}

#[cfg(test)]
mod tests {
    use countersign_proto::v1::ValidateTokenRequest;
    use futures_util::stream;
    use http_body_util::StreamBody;

    use super::*;

    async fn read_by(sent: &[u8], size: usize) -> Result<ValidateTokenRequest, Failure> {
        let frames = sent
            .chunks(size)
            .map(|part| Ok::<_, Status>(Frame::data(Bytes::copy_from_slice(part))));
        let frames: Vec<_> = frames.collect();
        read(StreamBody::new(stream::iter(frames))).await
    }

    #[tokio::test]
    async fn a_message_is_read_wherever_its_frames_are_cut() {
        let request = ValidateTokenRequest {
            access_token: "a.b.c".into(),
            ..ValidateTokenRequest::default()
        };
        let sent = framed(&request);
        for size in 1..=sent.len() {
            let read = read_by(&sent, size).await.expect("a message");
            assert_eq!(read, request, "{size}");
        }
        let empty = read_by(&[0; HEAD], 2).await.expect("a message");
        assert_eq!(empty, ValidateTokenRequest::default());
    }

    #[tokio::test]
    async fn what_is_not_a_message_is_said() {
        for (sent, why) in [
            (&[][..], "missing"),
            (&[0, 0, 0, 0], "missing"),
            (&[1, 0, 0, 0, 0], "no encoding"),
            (&[0, 0, 0, 0, 2, 10], "broke off"),
            (&[0, 0, 0, 0, 2, 10, 5], "failed to decode"),
        ] {
            for size in 1..=sent.len().max(1) {
                let refused = read_by(sent, size).await.unwrap_err().to_string();
                assert!(refused.contains(why), "{sent:?}: {refused}");
            }
        }
    }

    #[tokio::test]
    async fn an_answer_is_its_message_and_the_status() {
        let collected = response(Bytes::from_static(b"12345"))
            .into_body()
            .collect()
            .await
            .expect("an answer");
        assert_eq!(collected.trailers().expect("trailers")[GRPC_STATUS], "0");
        assert_eq!(collected.to_bytes(), "12345");
    }
}
