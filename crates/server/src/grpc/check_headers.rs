//! What is decided by the headers of a call, before any of its body is read:
//! whether it is gRPC, which RPC it is for, whether its caller may make it, and
//! how long it may take.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use countersign_domain::ports::Random;
use countersign_transport::ConnectionInfo;
use http::{HeaderMap, Request, Response};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use prost::bytes::Bytes;
use tokio::runtime::Handle;
use tokio::time::timeout;
use tonic::Code;
use tonic::body::Body;
use tower::Service;

use crate::grpc::call::{self, Call, Ended, RequestId};
use crate::grpc::callers::CallerAuthenticator;
use crate::grpc::gzip_body::GzipBody;
use crate::grpc::open_call::OpenCall;
use crate::grpc::open_calls::OpenCalls;
use crate::grpc::protocol::{self, ACCEPT_ENCODING, ENCODING, ENCODINGS, Encoding};
use crate::grpc::request_body::{BodyBudget, RequestBody};
use crate::grpc::returning::done_on;
use crate::grpc::rpc::Rpc;
use crate::grpc::rpc_runner::broke_off;
use crate::grpc::rpc_table::RpcTable;
use crate::status::{self, Failure};
use crate::traces::Tracer;

/// Health and reflection, which need no key: their paths begin so.
const OPEN: &str = "/grpc.";

/// How long a stream of health or reflection may take to send its messages.
const OPEN_TIMEOUT: Duration = Duration::from_secs(30);

/// What is thrown away of the body of a request that is refused, in bytes, and
/// for how long it may come.
const DISCARDED: usize = 16 * 1024;
const DISCARDED_WITHIN: Duration = Duration::from_secs(1);

/// Of how many requests of a connection at once: who sends more of them that are
/// refused, is no client that would wonder.
const DISCARDED_AT_ONCE: u32 = 4;

/// Our answer comes before tonic's own, which has no details.
const AHEAD: Duration = Duration::from_millis(2);

/// What headers are checked against.
pub(crate) struct HeaderCheck {
    pub(crate) rpcs: Arc<RpcTable>,
    pub(crate) callers: Arc<CallerAuthenticator>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) bodies: Bodies,
    /// Absent: no spans are made.
    pub(crate) tracer: Option<Tracer>,
}

/// What the bodies of requests may be.
#[derive(Clone)]
pub(crate) struct Bodies {
    /// Of all calls that need a key, while they are unfinished.
    pub(crate) callers: Arc<BodyBudget>,
    /// Of health and reflection, which have their own: nobody without a key
    /// takes anything from those who have one.
    pub(crate) open: Arc<BodyBudget>,
    /// How many calls of these there are.
    pub(crate) open_calls: OpenCalls,
}

/// Answers what the headers of a call decide, and hands all others on.
#[derive(Clone)]
pub(crate) struct CheckHeaders<S> {
    pub(crate) check: Arc<HeaderCheck>,
    /// The runtime of databases and hashing.
    pub(crate) work_runtime: Handle,
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
        if let Some(refusal) = self.check.refuse_foreign(&request) {
            return answer_at_once(refusal, request);
        }
        let path = request.uri().path();
        if path.starts_with(OPEN) {
            return self.hand_on_open(request);
        }
        let rpc = self.check.rpcs.get(path);
        let (call, encoding) = match self.check.admit(rpc, &request) {
            Ok(admitted) => admitted,
            Err(refusal) => return answer_at_once(refusal, request),
        };
        let most = rpc.max_message;
        let limit = limit(rpc.timeout, request.headers());
        bound(&mut request, encoding, most, |body| {
            let body = self.check.bodies.of_one_message(body, most);
            match rpc.is_long {
                // Read elsewhere, it is not dropped together with the call.
                true => body.within(limit),
                false => body,
            }
        });
        request.extensions_mut().insert(call.clone());
        let answer = self.rest.call(request);
        if rpc.is_long {
            let work_runtime = self.work_runtime.clone();
            return Box::pin(async move {
                let answer = async {
                    let done = done_on(&work_runtime, answer).await;
                    done.unwrap_or_else(|| Ok(call.refuse(&broke_off().into()).into_http()))
                };
                call.answer(limit, pin!(answer)).await
            });
        }
        Box::pin(async move { call.answer(limit, pin!(answer)).await })
    }
}

impl<S> CheckHeaders<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    fn hand_on_open(&mut self, mut request: Request<Body>) -> Answer<S::Error> {
        let call = OpenCall::of(&request, &self.check.rpcs, &*self.check.random);
        let Some(encoding) = Encoding::of(request.headers()) else {
            let refusal = with_encodings(status::unknown_encoding().into_http());
            return answer_at_once(call.refuse(refusal), request);
        };
        let limit = limit(OPEN_TIMEOUT, request.headers());
        let bodies = &self.check.bodies;
        let connection = request.extensions().get::<ConnectionInfo>();
        let Some(place) = bodies.open_calls.begin(request.uri().path(), connection) else {
            let refusal = status::too_many_open_calls().into_http();
            return answer_at_once(call.refuse(refusal), request);
        };
        call.bound(&mut request, encoding, |body| {
            RequestBody::new(body, &bodies.open).within(limit)
        });
        let answer = self.rest.call(request);
        Box::pin(async move {
            let answer = match timeout(limit, answer).await {
                Ok(answer) => answer?,
                Err(_) => status::too_late().into_http(),
            };
            Ok(call.until_sent(answer, place))
        })
    }
}

impl Bodies {
    /// The body of a call that needs a key.
    pub(crate) fn of_one_message(&self, body: Body, most: usize) -> RequestBody {
        RequestBody::new(body, &self.callers).of_one_message(most)
    }
}

impl HeaderCheck {
    /// The answer of HTTP to what is not gRPC. It is counted as clients of gRPC
    /// understand it.
    pub(crate) fn refuse_foreign(&self, request: &Request<Body>) -> Option<Response<Body>> {
        let mut refusal = protocol::refuse(request)?;
        self.rpcs.unknown.calls.note(Code::Unknown, Duration::ZERO);
        RequestId::of(request.headers(), &*self.random).add_to(&mut refusal);
        Some(refusal)
    }

    /// The call that a request makes, if its caller may, and how its message is
    /// compressed.
    #[expect(
        clippy::result_large_err,
        reason = "it is handed on at once, to be the answer"
    )]
    pub(crate) fn admit(
        &self,
        rpc: &'static Rpc,
        request: &Request<Body>,
    ) -> Result<(Call, Encoding), Response<Body>> {
        let headers = request.headers();
        let connection = request.extensions().get::<ConnectionInfo>();
        let peer = connection.map(ConnectionInfo::peer);
        let locale = call::locale(headers);
        let request_id = RequestId::of(headers, &*self.random);
        let trace = self.tracer.as_ref();
        let trace = trace.map(|tracer| Arc::new(tracer.begin(headers)));
        let refuse = |failure: &Failure, caller: Option<&str>| {
            let ended = Ended {
                rpc,
                caller,
                peer,
                request_id: &request_id,
                trace: trace.as_deref(),
                took: Duration::ZERO,
            };
            ended.refuse(failure, locale).into_http()
        };
        if !self.rpcs.knows(rpc) {
            return Err(refuse(&Failure::UnknownRpc, None));
        }
        let certificate = connection.and_then(ConnectionInfo::certificate);
        let permitted = self.callers.identify(headers, certificate, |caller| {
            let caller = caller.map_err(|unidentified| {
                let name = unidentified.caller().map(str::to_owned);
                refuse(&unidentified.into(), name.as_deref())
            })?;
            match caller.require(&rpc.roles) {
                Ok(()) => Ok(Arc::clone(caller)),
                Err(refusal) => Err(refuse(&refusal.into(), Some(&caller.name))),
            }
        });
        let caller = permitted?;
        if let Some(connection) = connection {
            connection.permit_call();
        }
        let Some(encoding) = Encoding::of(headers) else {
            let refusal = refuse(&Failure::UnknownEncoding, Some(&caller.name));
            return Err(with_encodings(refusal));
        };
        let call = Call {
            caller,
            locale,
            rpc,
            peer,
            request_id,
            trace,
            began: call::now(),
        };
        Ok((call, encoding))
    }
}

/// Bounds the body of a request, and makes it plain.
fn bound(
    request: &mut Request<Body>,
    encoding: Encoding,
    max_message: usize,
    within: impl FnOnce(Body) -> RequestBody,
) {
    let body = Body::new(within(std::mem::take(request.body_mut())));
    *request.body_mut() = match encoding {
        Encoding::Identity => body,
        Encoding::Gzip => {
            // It is plain from here on.
            request.headers_mut().remove(ENCODING);
            Body::new(GzipBody::new(body, encoding, max_message))
        }
    };
}

/// Says which encodings are known.
fn with_encodings(mut refusal: Response<Body>) -> Response<Body> {
    refusal.headers_mut().insert(ACCEPT_ENCODING, ENCODINGS);
    refusal
}

/// Answers a request without reading it. A body that is on its way is taken and
/// thrown away: clients that learn of the answer before they have sent all, such
/// as curl, take the end of their stream for an error.
pub(crate) fn answer_at_once<E: Send + 'static>(
    answer: Response<Body>,
    request: Request<Body>,
) -> Answer<E> {
    let connection = request.extensions().get::<ConnectionInfo>();
    let place = connection.and_then(|it| it.begin_unpermitted_call(DISCARDED_AT_ONCE));
    let body = request.into_body();
    if let Some(place) = place
        && !body.is_end_stream()
    {
        tokio::spawn(async move {
            drop(timeout(DISCARDED_WITHIN, discard(body)).await);
            drop(place);
        });
    }
    Box::pin(async { Ok(answer) })
}

async fn discard(mut body: Body) {
    let mut left = DISCARDED;
    while let Some(Ok(frame)) = body.frame().await {
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        let Some(rest) = left.checked_sub(bytes) else {
            return;
        };
        left = rest;
    }
}

/// How long a call may take.
pub(crate) fn limit(most: Duration, headers: &HeaderMap) -> Duration {
    let asked = protocol::timeout(headers).unwrap_or(most);
    asked.min(most).saturating_sub(AHEAD)
}

#[cfg(test)]
mod tests {
    use super::*;

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
