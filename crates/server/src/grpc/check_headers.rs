//! What is decided by the headers of a call, before any of its body is read:
//! whether it is gRPC, which RPC it is for, whether its caller may make it, and
//! how long it may take.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use countersign_domain::ports::Random;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use tonic::Status;
use tonic::body::Body;
use tower::Service;

use crate::grpc::call::{self, Call, Ended};
use crate::grpc::caller_authenticator::{CallerAuthenticator, KnownCaller};
use crate::grpc::rpc_table::{Rpc, RpcTable};
use crate::grpc::timed_body::TimedBody;
use crate::status::{self, Failure};

/// Health and reflection, which need no key: their paths begin so.
const OPEN: &str = "/grpc.";

/// How long a stream of health or reflection may take to send its messages.
const OPEN_TIMEOUT: Duration = Duration::from_secs(30);

/// Our answer comes before tonic's own, which has no details.
const AHEAD: Duration = Duration::from_millis(2);

/// What headers are checked against.
pub(crate) struct HeaderCheck {
    pub(crate) rpcs: Arc<RpcTable>,
    pub(crate) callers: Arc<CallerAuthenticator>,
    pub(crate) random: Arc<dyn Random>,
}

/// Answers what the headers of a call decide, and hands all others on.
#[derive(Clone)]
pub(crate) struct CheckHeaders<S> {
    pub(crate) check: Arc<HeaderCheck>,
    pub(crate) rest: S,
}

/// What a layer answers.
pub(crate) type Answer<E> = Pin<Box<dyn Future<Output = Result<Response<Body>, E>> + Send>>;

impl<S> Service<Request<Body>> for CheckHeaders<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Answer<S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.rest.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        if let Some(refusal) = refuse_protocol(&request) {
            return answer_at_once(refusal);
        }
        if request.uri().path().starts_with(OPEN) {
            return self.hand_on_open(request);
        }
        let call = match self.check.call(&request) {
            Ok(call) => call,
            Err(status) => return answer_at_once(status.into_http()),
        };
        let limit = limit(call.rpc.timeout, request.headers());
        request.extensions_mut().insert(call.clone());
        hand_on(self.rest.call(request), limit, move || {
            call.ended().refuse(&Failure::Deadline, call.locale)
        })
    }
}

impl<S> CheckHeaders<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    fn hand_on_open(&mut self, request: Request<Body>) -> Answer<S::Error> {
        let limit = limit(OPEN_TIMEOUT, request.headers());
        let request = request.map(|body| Body::new(TimedBody::new(body, limit)));
        hand_on(self.rest.call(request), limit, status::too_late)
    }
}

impl HeaderCheck {
    /// The call that a request makes, if its caller may.
    pub(crate) fn call(&self, request: &Request<Body>) -> Result<Call, Status> {
        let (path, headers) = (request.uri().path(), request.headers());
        let Some(rpc) = self.rpcs.get(path) else {
            return Err(status::unknown_rpc(call::locale(headers)));
        };
        let caller = self.permitted(rpc, request, Arc::clone)?;
        Ok(Call {
            caller,
            locale: call::locale(headers),
            rpc,
            peer: call::peer(request.extensions()),
            request_id: call::request_id(headers, &*self.random),
            began: call::now(),
        })
    }

    /// Whether the caller may call an RPC. The hot path, which makes nothing.
    pub(crate) fn permit(&self, rpc: &'static Rpc, request: &Request<Body>) -> Result<(), Status> {
        self.permitted(rpc, request, |_| ())
    }

    fn permitted<T>(
        &self,
        rpc: &'static Rpc,
        request: &Request<Body>,
        then: impl FnOnce(&Arc<KnownCaller>) -> T,
    ) -> Result<T, Status> {
        self.callers.identify(request.headers(), |caller| {
            let (refusal, name) = match caller {
                Err(refusal) => (refusal, None),
                Ok(caller) => match caller.require(&rpc.roles) {
                    Err(refusal) => (refusal, Some(&*caller.name)),
                    Ok(()) => return Ok(then(caller)),
                },
            };
            let peer = call::peer(request.extensions());
            Err(self.refuse(rpc, request.headers(), peer, &refusal.into(), name))
        })
    }

    /// The status of a call that fails, after it is logged and counted.
    pub(crate) fn refuse(
        &self,
        rpc: &'static Rpc,
        headers: &HeaderMap,
        peer: Option<SocketAddr>,
        failure: &Failure,
        caller: Option<&str>,
    ) -> Status {
        let request_id = call::request_id(headers, &*self.random);
        let ended = Ended {
            rpc,
            caller,
            peer,
            request_id: &request_id,
            took: Duration::ZERO,
        };
        ended.refuse(failure, call::locale(headers))
    }
}

/// Answers without asking anybody.
pub(crate) fn answer_at_once<E: Send + 'static>(answer: Response<Body>) -> Answer<E> {
    Box::pin(async { Ok(answer) })
}

/// What is not gRPC has an answer of HTTP (gRPC over HTTP/2, "Requests").
pub(crate) fn refuse_protocol(request: &Request<Body>) -> Option<Response<Body>> {
    let refusal = Response::builder();
    let refusal = if request.method() != Method::POST {
        let refusal = refusal.status(StatusCode::METHOD_NOT_ALLOWED);
        refusal.header(ALLOW, "POST")
    } else if !is_grpc(request.headers()) {
        refusal.status(StatusCode::UNSUPPORTED_MEDIA_TYPE)
    } else {
        return None;
    };
    Some(refusal.body(Body::empty()).unwrap_or_default())
}

/// Whether the content is protobuf in gRPC's frames.
fn is_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let rest = content_type.and_then(|value| value.strip_prefix(b"application/grpc"));
    rest.is_some_and(|rest| {
        let rest = rest.strip_prefix(b"+proto").unwrap_or(rest);
        matches!(rest.first(), None | Some(b';'))
    })
}

/// How long a call may take.
pub(crate) fn limit(most: Duration, headers: &HeaderMap) -> Duration {
    let asked = call::grpc_timeout(headers).unwrap_or(most);
    asked.min(most).saturating_sub(AHEAD)
}

/// Passes the answer on, if it comes in time.
fn hand_on<E: Send + 'static>(
    answer: impl Future<Output = Result<Response<Body>, E>> + Send + 'static,
    limit: Duration,
    too_long: impl FnOnce() -> Status + Send + 'static,
) -> Answer<E> {
    Box::pin(async move {
        match tokio::time::timeout(limit, answer).await {
            Ok(answer) => answer,
            Err(_) => Ok(too_long().into_http()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(content_type: &str) -> HeaderMap {
        let value = content_type.parse().expect("a header");
        HeaderMap::from_iter([(CONTENT_TYPE, value)])
    }

    #[test]
    fn protobuf_in_grpc_is_taken_and_nothing_else() {
        for good in [
            "application/grpc",
            "application/grpc+proto",
            "application/grpc;charset=utf-8",
            "application/grpc+proto; x",
        ] {
            assert!(is_grpc(&with(good)), "{good}");
        }
        assert!(!is_grpc(&HeaderMap::new()));
        for foreign in [
            "",
            "application/json",
            "application/grpc+json",
            "application/grpc-web",
            "application/grpc-web+proto",
            "application/grp",
        ] {
            assert!(!is_grpc(&with(foreign)), "{foreign}");
        }
    }

    #[test]
    fn a_caller_shortens_its_time_and_cannot_stretch_it() {
        let most = Duration::from_secs(10);
        let asked = |timeout: &str| {
            let value = timeout.parse().expect("a header");
            limit(
                most,
                &HeaderMap::from_iter([(http::HeaderName::from_static("grpc-timeout"), value)]),
            )
        };
        assert_eq!(limit(most, &HeaderMap::new()), most - AHEAD);
        assert_eq!(asked("300m"), Duration::from_millis(300) - AHEAD);
        assert_eq!(asked("1n"), Duration::ZERO);
        assert_eq!(asked("1H"), most - AHEAD);
    }
}
