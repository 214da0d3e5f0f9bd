//! What all generated stubs of a client share: the pool, the API key, the
//! deadline of each call, and repeating what is safe to repeat.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use countersign_proto::KEY_MUST_BE_KNOWN;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use tokio::time::{Instant, sleep, timeout_at};
use tonic::body::Body;
use tonic::{Code, Status, TimeoutExpired};
use tower::Service;

use crate::deadline::{self, TimedBody};
use crate::pool::Pool;
use crate::retry;

/// The authenticated, pooled way to the service that the generated stubs of
/// [`Client`](crate::Client) use. Cheap to clone.
#[derive(Clone)]
pub struct Transport {
    shared: Arc<Shared>,
}

struct Shared {
    pool: Arc<Pool>,
    authorization: Option<HeaderValue>,
    /// Whether the key is somebody else's, who must be known by it.
    key_must_be_known: bool,
    timeouts: Timeouts,
}

/// How long calls may take when the caller does not say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    pub(crate) validation: Duration,
    pub(crate) others: Duration,
}

impl Transport {
    /// `authorization` is the whole header value, marked as sensitive.
    pub(crate) fn new(pool: Pool, authorization: Option<HeaderValue>, timeouts: Timeouts) -> Self {
        Self {
            shared: Arc::new(Shared {
                pool: Arc::new(pool),
                authorization,
                key_must_be_known: false,
                timeouts,
            }),
        }
    }
}

impl Transport {
    /// The same connections, for somebody who must be known by this header.
    pub(crate) fn with_authorization(&self, authorization: HeaderValue) -> Self {
        Self {
            shared: Arc::new(Shared {
                pool: Arc::clone(&self.shared.pool),
                authorization: Some(authorization),
                key_must_be_known: true,
                timeouts: self.shared.timeouts,
            }),
        }
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("authenticated", &self.shared.authorization.is_some())
            .field("timeouts", &self.shared.timeouts)
            .finish_non_exhaustive()
    }
}

impl Service<Request<Body>> for Transport {
    type Response = Response<TimedBody>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Response<TimedBody>, Status>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move { shared.send(request).await })
    }
}

impl Shared {
    async fn send(&self, request: Request<Body>) -> Result<Response<TimedBody>, Status> {
        let (mut head, body) = request.into_parts();
        if let Some(authorization) = &self.authorization {
            head.headers.insert(AUTHORIZATION, authorization.clone());
        }
        if self.key_must_be_known {
            let set = HeaderValue::from_static("1");
            head.headers.insert(KEY_MUST_BE_KNOWN, set);
        }
        let path = head.uri.path();
        let deadline = deadline::deadline(&head.headers, self.timeouts.of(path));
        let response = if retry::is_repeatable(path) {
            self.send_until_answered(head, body, deadline).await
        } else {
            self.send_once(head, body, deadline).await
        };
        response.map(|response| response.map(|body| TimedBody::new(body, deadline)))
    }

    async fn send_until_answered(
        &self,
        head: Parts,
        body: Body,
        deadline: Instant,
    ) -> Result<Response<Body>, Status> {
        let message = body.collect().await?.to_bytes();
        let mut tries = 0;
        loop {
            let body = Body::new(Full::new(message.clone()));
            let result = self.send_once(head.clone(), body, deadline).await;
            let unavailable = match &result {
                Ok(response) => retry::unavailable(response),
                Err(status) => (status.code() == Code::Unavailable).then_some(None),
            };
            let Some(asked) = unavailable else {
                return result;
            };
            tries += 1;
            let pause = retry::pause(tries, asked);
            if tries == retry::MAX_TRIES || deadline::now() + pause >= deadline {
                return result;
            }
            tracing::debug!(
                rpc = head.uri.path(),
                tries,
                ?pause,
                "unavailable, trying again"
            );
            sleep(pause).await;
        }
    }

    async fn send_once(
        &self,
        mut head: Parts,
        body: Body,
        deadline: Instant,
    ) -> Result<Response<Body>, Status> {
        let remaining = deadline.saturating_duration_since(deadline::now());
        head.headers
            .insert(deadline::GRPC_TIMEOUT, deadline::header(remaining));
        let answer = async {
            let mut lease = self.pool.ready().await.map_err(connection_failed)?;
            let answer = lease.channel.call(Request::from_parts(head, body)).await;
            answer.map_err(|error| {
                // The connection watches `grpc-timeout` too, and may be first.
                if is_timeout(&error) {
                    return deadline::exceeded();
                }
                self.pool.discard(&lease);
                connection_failed(error)
            })
        };
        timeout_at(deadline, answer)
            .await
            .unwrap_or_else(|_| Err(deadline::exceeded()))
    }
}

impl Timeouts {
    fn of(&self, path: &str) -> Duration {
        match path {
            "/countersign.v1.AuthService/ValidateToken"
            | "/countersign.v1.AuthService/ValidateTokens" => self.validation,
            _ => self.others,
        }
    }
}

fn is_timeout(error: &tonic::transport::Error) -> bool {
    causes(error).any(<dyn Error>::is::<TimeoutExpired>)
}

/// The status of a call that a broken connection, or none, left unanswered.
fn connection_failed(error: tonic::transport::Error) -> Status {
    let mut message = String::from("the connection failed");
    for cause in causes(&error).map(ToString::to_string) {
        // Some layers repeat what the one below them says.
        if !message.ends_with(&cause) {
            message.push_str(": ");
            message.push_str(&cause);
        }
    }
    let mut status = Status::unavailable(message);
    status.set_source(Arc::new(error));
    status
}

/// The causes of an error, from the nearest on.
pub(crate) fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}
