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

use crate::grpc::protocol::HEAD;
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
    /// The head of the one message that it may have, once it is read.
    only: Option<MessageHead>,
    /// When it must have ended.
    end: Option<Pin<Box<Sleep>>>,
}

/// The head of a message: whether it is compressed, and its length.
#[derive(Debug)]
struct MessageHead {
    bytes: [u8; HEAD],
    read: usize,
    /// What the length may be at the most.
    most: usize,
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
            only: None,
            end: None,
        }
    }

    /// The body, which fails if it has more than one message, or a longer one
    /// than this: of several, tonic would answer the first and not look at the
    /// others.
    pub(crate) fn of_one_message(mut self, most: usize) -> Self {
        self.only = Some(MessageHead {
            bytes: [0; HEAD],
            read: 0,
            most,
        });
        self
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
        let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
            Some(Ok(frame)) => frame,
            // What h2 or hyper says of it, is of nobody's request.
            Some(Err(_)) => return Poll::Ready(Some(Err(status::broken_off()))),
            None => return Poll::Ready(None),
        };
        if let Some(data) = frame.data_ref() {
            let before = self.read.saturating_sub(FREE);
            self.read += data.len();
            let more = self.read.saturating_sub(FREE) - before;
            if more > 0 && !self.budget.take(more) {
                return Poll::Ready(Some(Err(status::too_many_bytes())));
            }
            let read = self.read;
            let fits = self.only.as_mut().map(|head| head.check(data, read));
            if let Some(Err(refusal)) = fits {
                return Poll::Ready(Some(Err(refusal)));
            }
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl MessageHead {
    /// Reads on: `read` bytes in all, of which `data` are the last.
    fn check(&mut self, data: &[u8], read: usize) -> Result<(), Status> {
        let taken = (self.bytes.len() - self.read).min(data.len());
        self.bytes[self.read..self.read + taken].copy_from_slice(&data[..taken]);
        self.read += taken;
        if self.read < self.bytes.len() {
            return Ok(());
        }
        let [_, a, b, c, d] = self.bytes;
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if length > self.most {
            return Err(status::too_large(self.most));
        }
        if read > self.bytes.len() + length {
            return Err(status::too_many_messages());
        }
        Ok(())
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
    async fn a_second_message_is_refused_wherever_the_frames_are_cut() {
        let budget = Arc::new(BodyBudget::new(1_000));
        let one = [0, 0, 0, 0, 3, 1, 2, 3].to_vec();
        for (sent, is_good) in [
            (one.clone(), true),
            (vec![], true),
            (vec![0, 0, 0, 0, 0], true),
            ([one.clone(), one.clone()].concat(), false),
            ([one, vec![0]].concat(), false),
            (vec![0, 0, 0, 0, 4, 1], false),
        ] {
            for size in 1..=sent.len().max(1) {
                let frames = sent
                    .chunks(size)
                    .map(|part| Ok::<_, Status>(Frame::data(Bytes::copy_from_slice(part))));
                let frames: Vec<_> = frames.collect();
                let body = Body::new(StreamBody::new(stream::iter(frames)));
                let read = RequestBody::new(body, &budget).of_one_message(3).collect();
                assert_eq!(read.await.is_ok(), is_good, "{sent:?} by {size}");
            }
        }
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
