//! How many calls of health and reflection there may be at once: they need no
//! key, and whoever does not read their answers holds them for as long as he
//! likes.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use countersign_transport::{ConnectionInfo, UnpermittedCall};
use http::Response;
use http_body::{Body as HttpBody, Frame, SizeHint};
use prost::bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;
use tonic::body::Body;

/// On one connection: a probe has one at a time, and a client watches a service
/// or two.
const ON_A_CONNECTION: u32 = 8;

/// Of reflection, on all connections: its answers are large, and only people ask.
const REFLECTIONS: usize = 64;

const REFLECTION: &str = "/grpc.reflection.";

/// Counts the calls that need no key.
#[derive(Debug, Clone)]
pub(crate) struct OpenCalls {
    reflections: Arc<Semaphore>,
}

/// A call that is counted until its answer is sent.
pub(crate) struct OpenCall {
    _on_connection: Option<UnpermittedCall>,
    _reflection: Option<OwnedSemaphorePermit>,
}

/// The answer of such a call.
struct OpenAnswer {
    body: Body,
    _call: OpenCall,
}

impl OpenCalls {
    pub(crate) fn new() -> Self {
        Self {
            reflections: Arc::new(Semaphore::new(REFLECTIONS)),
        }
    }

    /// Counts a call; `None` if there are too many.
    pub(crate) fn begin(
        &self,
        path: &str,
        connection: Option<&ConnectionInfo>,
    ) -> Option<OpenCall> {
        let on_connection = match connection {
            Some(connection) => Some(connection.begin_unpermitted_call(ON_A_CONNECTION)?),
            None => None,
        };
        let reflection = if path.starts_with(REFLECTION) {
            let permit = Arc::clone(&self.reflections).try_acquire_owned();
            Some(permit.ok()?)
        } else {
            None
        };
        Some(OpenCall {
            _on_connection: on_connection,
            _reflection: reflection,
        })
    }
}

impl OpenCall {
    /// The answer, which counts until its last byte is handed over.
    pub(crate) fn until_sent(self, answer: Response<Body>) -> Response<Body> {
        answer.map(|body| Body::new(OpenAnswer { body, _call: self }))
    }
}

impl HttpBody for OpenAnswer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
