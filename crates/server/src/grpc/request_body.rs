//! The body of a request: bounded together with all others that are being read,
//! and in time.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http_body::{Body as HttpBody, Frame, SizeHint};
use prost::bytes::Bytes;
use tokio::time::{Sleep, sleep};
use tonic::Status;
use tonic::body::Body;

use crate::status;

/// What unfinished bodies may hold together, in bytes.
#[derive(Debug)]
pub(crate) struct BodyBudget {
    most: usize,
    held: AtomicUsize,
}

/// What a body has free, in bytes: most calls never touch the budget, and a
/// question about health is answered when others have spent it.
const FREE: usize = 512;

/// A body under a budget.
pub(crate) struct RequestBody {
    body: Body,
    budget: Arc<BodyBudget>,
    read: usize,
    /// When it must have ended.
    end: Option<Pin<Box<Sleep>>>,
}

impl BodyBudget {
    pub(crate) fn new(most: usize) -> Self {
        let held = AtomicUsize::new(0);
        Self { most, held }
    }

    /// Takes bytes, if there are as many left. What was refused is given back
    /// together with the rest.
    fn take(&self, bytes: usize) -> bool {
        self.held.fetch_add(bytes, Ordering::Relaxed) + bytes <= self.most
    }
}

impl RequestBody {
    pub(crate) fn new(body: Body, budget: &Arc<BodyBudget>) -> Self {
        Self {
            body,
            budget: Arc::clone(budget),
            read: 0,
            end: None,
        }
    }

    /// The body, which fails if it has not ended after this time, from now on.
    pub(crate) fn within(mut self, time: Duration) -> Self {
        self.end = Some(Box::pin(sleep(time)));
        self
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Some(end) = &mut self.end
            && end.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Some(Err(status::too_late())));
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame {
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            let before = self.read.saturating_sub(FREE);
            self.read += bytes;
            let more = self.read.saturating_sub(FREE) - before;
            if more > 0 && !self.budget.take(more) {
                return Poll::Ready(Some(Err(status::too_many_bytes())));
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        let held = self.read.saturating_sub(FREE);
        if held > 0 {
            self.budget.held.fetch_sub(held, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http_body_util::{BodyExt as _, Full, StreamBody};
    use tonic::Code;

    use super::*;

    fn body(bytes: usize, budget: &Arc<BodyBudget>) -> RequestBody {
        let full = Full::new(Bytes::from(vec![0; bytes]));
        RequestBody::new(Body::new(full), budget)
    }

    #[tokio::test]
    async fn bodies_share_what_there_is_and_give_it_back() {
        let budget = Arc::new(BodyBudget::new(1_000));
        let mut first = body(FREE + 600, &budget);
        let mut second = body(FREE + 600, &budget);
        first.frame().await.expect("a frame").expect("within");
        let refused = second.frame().await.expect("a frame").unwrap_err();
        assert_eq!(refused.code(), Code::ResourceExhausted);
        let mut small = body(FREE, &budget);
        small.frame().await.expect("a frame").expect("free");
        drop((first, second, small));
        assert_eq!(budget.held.load(Ordering::Relaxed), 0);
        let mut third = body(FREE + 1_000, &budget);
        third.frame().await.expect("a frame").expect("within");
    }

    #[tokio::test]
    async fn a_body_that_does_not_end_in_time_fails() {
        let budget = Arc::new(BodyBudget::new(1_000));
        let never = stream::pending::<Result<Frame<Bytes>, Status>>();
        let body = Body::new(StreamBody::new(never));
        let body = RequestBody::new(body, &budget).within(Duration::from_millis(10));
        let refused = body.collect().await.unwrap_err();
        assert_eq!(refused.code(), Code::DeadlineExceeded);
    }
}
