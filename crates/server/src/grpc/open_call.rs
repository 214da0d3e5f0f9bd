//! A call of health or reflection, from its headers until its answer is sent: the
//! id of its request, its status and its place among the counts.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use countersign_domain::ports::Random;
use http::{HeaderMap, Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use prost::bytes::Bytes;
use tonic::body::Body;
use tonic::{Code, Status};

use crate::grpc::call::{self, RequestId};
use crate::grpc::gzip_body::GzipBody;
use crate::grpc::open_calls::Place;
use crate::grpc::open_messages::{OpenMessages, Wrong};
use crate::grpc::open_rpcs::OpenRpc;
use crate::grpc::protocol::{ENCODING, Encoding};
use crate::grpc::request_body::RequestBody;
use crate::grpc::rpc::Rpc;
use crate::grpc::rpc_table::RpcTable;
use crate::status;

/// A call that needs no key. It is counted when it is dropped.
pub(crate) struct OpenCall {
    rpc: Option<&'static OpenRpc>,
    /// As what it is counted.
    counted: &'static Rpc,
    /// What is wrong with its messages.
    wrong: Wrong,
    request_id: RequestId,
    began: Instant,
    /// How it ended; it was given up, if nothing is known.
    code: Code,
}

/// The answer of such a call, which holds its place until the last byte is handed
/// over.
struct OpenAnswer {
    body: Body,
    call: OpenCall,
    _place: Place,
}

impl OpenCall {
    /// The call that a request makes.
    pub(crate) fn of(request: &Request<Body>, rpcs: &RpcTable, random: &dyn Random) -> Self {
        let rpc = rpcs.get_open(request.uri().path());
        Self {
            rpc,
            counted: rpc.map_or(rpcs.unknown, |open| &open.rpc),
            wrong: Wrong::default(),
            request_id: RequestId::of(request.headers(), random),
            began: call::now(),
            code: Code::Cancelled,
        }
    }

    /// Bounds the body of its request, and has its messages looked at.
    pub(crate) fn bound(
        &self,
        request: &mut Request<Body>,
        encoding: Encoding,
        within: impl FnOnce(Body) -> RequestBody,
    ) {
        let body = Body::new(within(std::mem::take(request.body_mut())));
        let messages = GzipBody::new(body, encoding, self.counted.max_message);
        // They are plain from here on.
        request.headers_mut().remove(ENCODING);
        *request.body_mut() = Body::new(OpenMessages::new(messages, self.rpc, &self.wrong));
    }

    /// The answer to a call that is refused.
    pub(crate) fn refuse(mut self, refusal: Response<Body>) -> Response<Body> {
        self.head(refusal)
    }

    /// The answer, which counts until its last byte is handed over.
    pub(crate) fn until_sent(mut self, answer: Response<Body>, place: Place) -> Response<Body> {
        let answer = self.head(answer);
        answer.map(|body| {
            Body::new(OpenAnswer {
                body,
                call: self,
                _place: place,
            })
        })
    }

    /// The answer with the id of its request. If it has no messages, its status
    /// is there already.
    fn head(&mut self, mut answer: Response<Body>) -> Response<Body> {
        if let Some(code) = status::code(answer.headers()) {
            self.code = code;
            if let Some(wrong) = self.wrong.status() {
                self.code = wrong.code();
                answer = wrong.clone().into_http();
            }
        }
        self.request_id.add_to(&mut answer);
        answer
    }

    /// The last frame of the answer, if this is it, with the status of the call.
    fn end(&mut self, frame: Frame<Bytes>) -> Frame<Bytes> {
        let Some(code) = frame.trailers_ref().and_then(status::code) else {
            return frame;
        };
        let Some(wrong) = self.wrong.status() else {
            self.code = code;
            return frame;
        };
        self.code = wrong.code();
        let mut trailers = HeaderMap::new();
        match wrong.add_header(&mut trailers) {
            Ok(()) => Frame::trailers(trailers),
            Err(_) => frame,
        }
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        self.counted.calls.note(self.code, self.began.elapsed());
    }
}

impl HttpBody for OpenAnswer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        Poll::Ready(frame.map(|frame| frame.map(|frame| self.call.end(frame))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
