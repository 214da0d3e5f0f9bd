//! The messages of a call of health or reflection, looked at before the libraries
//! that answer them: reflection's ends its stream as if all was well where it
//! cannot read one.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use http_body::{Body as HttpBody, Frame};
use prost::bytes::{Buf as _, Bytes};
use tonic::Status;

use crate::grpc::gzip_body::GzipBody;
use crate::grpc::open_rpcs::OpenRpc;
use crate::grpc::protocol::HEAD;
use crate::status;

/// The body of such a call, of which each frame is a whole message.
pub(crate) struct OpenMessages {
    messages: GzipBody,
    rpc: Option<&'static OpenRpc>,
    wrong: Wrong,
}

/// What is wrong with the body of a call, once it is known.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wrong(Arc<OnceLock<Status>>);

impl OpenMessages {
    pub(crate) fn new(messages: GzipBody, rpc: Option<&'static OpenRpc>, wrong: &Wrong) -> Self {
        Self {
            messages,
            rpc,
            wrong: wrong.clone(),
        }
    }

    fn check(&self, mut frame: Bytes) -> Result<(), Status> {
        let Some(&[_, a, b, c, d]) = frame.first_chunk::<HEAD>() else {
            return Err(status::broken_off());
        };
        frame.advance(HEAD);
        if frame.len() != u32::from_be_bytes([a, b, c, d]) as usize {
            return Err(status::broken_off());
        }
        match self.rpc {
            Some(open) if !(open.is_message)(frame) => Err(status::unreadable()),
            _ => Ok(()),
        }
    }
}

impl Wrong {
    /// The status that says so.
    pub(crate) fn status(&self) -> Option<&Status> {
        self.0.get()
    }
}

impl HttpBody for OpenMessages {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let checked = ready!(Pin::new(&mut self.messages).poll_frame(cx)).map(|read| {
            let frame = read?;
            frame
                .data_ref()
                .map_or(Ok(()), |data| self.check(data.clone()))?;
            Ok(frame)
        });
        if let Some(Err(wrong)) = &checked {
            // Nothing is asked for after the first.
            self.wrong.0.set(status::of_open_call(wrong)).ok();
        }
        Poll::Ready(checked)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http_body_util::{BodyExt as _, Full};
    use tonic::Code;
    use tonic::body::Body;

    use super::*;
    use crate::grpc::protocol::Encoding;
    use crate::grpc::rpc_table::RpcTable;

    const PATH: &str = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

    #[tokio::test]
    async fn what_cannot_be_read_is_told_with_the_code_of_grpc() {
        let rpcs = RpcTable::new(Duration::from_secs(1));
        let question = b"\0\0\0\0\x03\x22\x01a".to_vec();
        for (sent, encoding, expected) in [
            (question.clone(), Encoding::Identity, None),
            (
                [question.clone(), question.clone()].concat(),
                Encoding::Identity,
                None,
            ),
            (vec![], Encoding::Identity, None),
            (
                vec![0, 0, 0, 0x14, 0],
                Encoding::Identity,
                Some(Code::ResourceExhausted),
            ),
            (
                vec![0, 0, 0, 0, 1, 0xff],
                Encoding::Identity,
                Some(Code::Internal),
            ),
            (
                question[..7].to_vec(),
                Encoding::Identity,
                Some(Code::Internal),
            ),
            (
                question[..4].to_vec(),
                Encoding::Identity,
                Some(Code::Internal),
            ),
            (
                vec![1, 0, 0, 0, 0],
                Encoding::Identity,
                Some(Code::Internal),
            ),
            (vec![1, 0, 0, 0, 1, 0], Encoding::Gzip, Some(Code::Internal)),
        ] {
            let wrong = Wrong::default();
            let body = Body::new(Full::new(Bytes::from(sent.clone())));
            let messages = GzipBody::new(body, encoding, 4_096);
            let read = OpenMessages::new(messages, rpcs.get_open(PATH), &wrong).collect();
            assert_eq!(read.await.is_err(), expected.is_some(), "{sent:?}");
            assert_eq!(wrong.status().map(Status::code), expected, "{sent:?}");
        }
    }
}
