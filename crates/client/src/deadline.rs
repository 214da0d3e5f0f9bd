//! Deadlines of calls: how `grpc-timeout` is read and written (gRPC over
//! HTTP/2), and a response body that ends when the time is over.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::Status;
use tonic::body::Body;

/// The header that tells the server how long the caller waits.
pub(crate) const GRPC_TIMEOUT: &str = "grpc-timeout";

/// No call waits longer, so that adding it to the present cannot overflow.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The bytes of an HTTP body.
pub(crate) type Bytes = <Body as http_body::Body>::Data;

/// The instant at which a call with these headers is over: as the caller
/// asked with `Request::set_timeout`, else after `default`.
pub(crate) fn deadline(headers: &HeaderMap, default: Duration) -> Instant {
    let allowed = headers
        .get(GRPC_TIMEOUT)
        .and_then(|value| value.to_str().ok())
        .and_then(parse);
    now() + allowed.unwrap_or(default).min(LONGEST)
}

/// The present, from which deadlines and the age of connections are counted.
#[expect(
    clippy::disallowed_methods,
    reason = "spans of this process; tokens go by the Clock"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The header value for what is left of a deadline, in the finest unit that
/// the eight digits of the protocol allow.
pub(crate) fn header(remaining: Duration) -> HeaderValue {
    const EIGHT_DIGITS: u128 = 99_999_999;
    let text = if remaining.as_micros() <= EIGHT_DIGITS {
        format!("{}u", remaining.as_micros())
    } else {
        format!("{}m", remaining.as_millis().min(EIGHT_DIGITS))
    };
    HeaderValue::try_from(text).expect("digits and a letter are a header value")
}

/// The status of a call whose time is over.
pub(crate) fn exceeded() -> Status {
    Status::deadline_exceeded("no answer within the deadline of the call")
}

fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(amount * 60 * 60),
        "M" => Duration::from_secs(amount * 60),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    })
}

/// The body of an answer; reading it fails with DEADLINE_EXCEEDED once the
/// deadline of its call has passed.
#[derive(Debug)]
pub struct TimedBody {
    body: Body,
    deadline: Instant,
    /// Made when the body first has to be waited for.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl TimedBody {
    pub(crate) fn new(body: Body, deadline: Instant) -> Self {
        Self {
            body,
            deadline,
            alarm: None,
        }
    }
}

impl http_body::Body for TimedBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            return Poll::Ready(frame);
        }
        let deadline = self.deadline;
        let alarm = self
            .alarm
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        match alarm.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Some(Err(exceeded()))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    /// A body of which nothing ever comes.
    struct Stalled;

    impl http_body::Body for Stalled {
        type Data = Bytes;
        type Error = Status;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
            Poll::Pending
        }
    }

    #[tokio::test]
    async fn a_body_that_stalls_ends_with_the_deadline() {
        let deadline = now() + Duration::from_millis(30);
        let body = TimedBody::new(Body::new(Stalled), deadline);
        let status = body.collect().await.unwrap_err();
        assert_eq!(status.code(), tonic::Code::DeadlineExceeded);
        assert!(now() >= deadline);
    }

    #[test]
    fn every_unit_of_the_protocol_is_read() {
        assert_eq!(parse("2H"), Some(Duration::from_secs(7_200)));
        assert_eq!(parse("3M"), Some(Duration::from_secs(180)));
        assert_eq!(parse("4S"), Some(Duration::from_secs(4)));
        assert_eq!(parse("5m"), Some(Duration::from_millis(5)));
        assert_eq!(parse("6u"), Some(Duration::from_micros(6)));
        assert_eq!(parse("7n"), Some(Duration::from_nanos(7)));
    }

    #[test]
    fn what_is_no_timeout_is_not_read() {
        for text in ["", "S", "+1S", "-1S", "1", "1s", "123456789S", "1 S", "١S"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for duration in [
            Duration::ZERO,
            Duration::from_micros(1_999_999),
            Duration::from_secs(99),
            Duration::from_secs(100),
            LONGEST,
        ] {
            let written = header(duration);
            assert_eq!(parse(written.to_str().unwrap()), Some(duration));
        }
    }
}
