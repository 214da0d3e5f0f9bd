//! A body that has to come within a time.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body::{Body as HttpBody, Frame, SizeHint};
use prost::bytes::Bytes;
use tokio::time::{Sleep, sleep};
use tonic::Status;
use tonic::body::Body;

use crate::status;

/// A body that fails if it has not ended when its time is over.
pub(crate) struct TimedBody {
    body: Body,
    end: Pin<Box<Sleep>>,
}

impl TimedBody {
    /// Its time begins now.
    pub(crate) fn new(body: Body, time: Duration) -> Self {
        Self {
            body,
            end: Box::pin(sleep(time)),
        }
    }
}

impl HttpBody for TimedBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.end.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err(status::too_late())));
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
