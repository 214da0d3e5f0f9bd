//! A call: what its headers say, and how its end is logged, counted and
//! answered.

use std::fmt::Display;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_domain::model::{AuditActor, Locale, Origin};
use countersign_domain::ports::Random;
use http::header::ACCEPT_LANGUAGE;
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use tokio::time::timeout_at;
use tonic::body::Body;
use tonic::{Code, Status};

use crate::grpc::callers::KnownCaller;
use crate::grpc::rpc::Rpc;
use crate::grpc::stranger_log::StrangerLog;
use crate::status::{self, Failure, Outcome};
use crate::traces::{CallTrace, EndedCall};

const REQUEST_ID_NAME: &str = "x-request-id";
const REQUEST_ID: HeaderName = HeaderName::from_static(REQUEST_ID_NAME);

/// Lines about calls by nobody who is known.
static STRANGERS: StrangerLog = StrangerLog::new();

/// A call whose caller may make it.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) caller: Arc<KnownCaller>,
    pub(crate) locale: Locale,
    pub(crate) rpc: &'static Rpc,
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) request_id: RequestId,
    /// Absent: no spans are made.
    pub(crate) trace: Option<Arc<CallTrace>>,
    pub(crate) began: Instant,
}

/// A call that has ended, as it is logged and counted.
pub(crate) struct Ended<'a> {
    pub(crate) rpc: &'static Rpc,
    /// The caller's name, if it is known.
    pub(crate) caller: Option<&'a str>,
    /// The other end of the connection.
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) request_id: &'a RequestId,
    pub(crate) trace: Option<&'a CallTrace>,
    pub(crate) took: Duration,
}

/// A call whose trace still has to tell if its caller goes away.
struct Unanswered<'a>(Option<&'a Call>);

/// What a call is found by in the logs of both sides.
#[derive(Debug, Clone)]
pub(crate) enum RequestId {
    /// By the caller.
    Given(HeaderValue),
    /// By us: 80 random bits in base32 (RFC 4648), in small letters. It travels
    /// with each answer, and a UUID would be twice as long.
    Made([u8; 16]),
}

impl Call {
    /// Where it comes from, as the audit log tells it.
    pub(crate) fn origin(&self) -> Origin {
        Origin {
            actor: AuditActor::Caller(self.caller.name.clone()),
            peer: self.peer.map(|peer| peer.ip().to_canonical()),
            request_id: Some(self.request_id.as_str().to_owned()),
        }
    }

    /// The call as it has ended now.
    pub(crate) fn ended(&self) -> Ended<'_> {
        Ended {
            rpc: self.rpc,
            caller: Some(&self.caller.name),
            peer: self.peer,
            request_id: &self.request_id,
            trace: self.trace.as_deref(),
            took: self.began.elapsed(),
        }
    }

    /// What is done for the call, if it is done in time.
    pub(crate) async fn within<T>(
        &self,
        limit: Duration,
        work: Pin<&mut impl Future<Output = T>>,
    ) -> Result<T, Failure> {
        let mut unanswered = Unanswered(self.trace.is_some().then_some(self));
        let done = timeout_at((self.began + limit).into(), work).await;
        unanswered.0 = None;
        done.map_err(|_| Failure::Deadline)
    }

    /// The answer of tonic's services, if it comes in time; the end of the call
    /// is logged and counted. A failure that a handler told was so already, and
    /// has its details; what tonic makes by itself gets them here.
    pub(crate) async fn answer<E>(
        &self,
        limit: Duration,
        answer: Pin<&mut impl Future<Output = Result<Response<Body>, E>>>,
    ) -> Result<Response<Body>, E> {
        let response = match self.within(limit, answer).await {
            Ok(answer) => answer?,
            Err(late) => return Ok(self.refuse(&late).into_http()),
        };
        Ok(match Outcome::of(response.headers()) {
            Outcome::Answered => self.answered(response),
            Outcome::Bare(failure) => self.refuse(&failure).into_http(),
            Outcome::Explained => response,
        })
    }

    /// Logs and counts that the call is answered.
    pub(crate) fn answered(&self, mut response: Response<Body>) -> Response<Body> {
        self.ended().note(Code::Ok, None);
        self.request_id.add_to(&mut response);
        response
    }

    /// Logs and counts a failure, and tells the status that says so.
    pub(crate) fn refuse(&self, failure: &Failure) -> Status {
        self.ended().refuse(failure, self.locale)
    }
}

impl Ended<'_> {
    /// Logs and counts a failure, and tells the status that says so.
    pub(crate) fn refuse(&self, failure: &Failure, locale: Locale) -> Status {
        let id = self.request_id.as_str();
        let mut status = status::status(failure, locale, id);
        self.note(status.code(), Some(failure));
        if let Ok(id) = id.parse() {
            status.metadata_mut().insert(REQUEST_ID_NAME, id);
        }
        status
    }

    /// Makes the span of the call, if one is wanted, and tells its trace.
    fn end_trace(&self, code: Code) -> Option<impl Display + use<>> {
        self.trace?.end(&EndedCall {
            rpc: self.rpc,
            code,
            caller: self.caller,
            peer: self.peer,
            request_id: self.request_id.as_str(),
            took: self.took,
        })
    }

    fn note(&self, code: Code, failure: Option<&Failure>) {
        let Self {
            rpc,
            request_id,
            took,
            ..
        } = *self;
        let trace_id = self.end_trace(code).map(tracing::field::display);
        rpc.calls.note(code, took);
        if self.caller.is_none() && !STRANGERS.may_write(now()) {
            return;
        }
        let caller = self.caller.unwrap_or("-");
        let peer = self.peer.map(tracing::field::display);
        let (rpc, request_id) = (rpc.name, request_id.as_str());
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        match failure {
            None => tracing::debug!(
                rpc,
                ?code,
                caller,
                peer,
                request_id,
                trace_id,
                took_us,
                "call"
            ),
            Some(failure) => match code {
                Code::Internal => {
                    tracing::error!(rpc, ?code, caller, peer, request_id, trace_id, took_us, %failure, "call");
                }
                Code::Unavailable | Code::DeadlineExceeded => {
                    tracing::warn!(rpc, ?code, caller, peer, request_id, trace_id, took_us, %failure, "call");
                }
                _ => {
                    tracing::info!(rpc, ?code, caller, peer, request_id, trace_id, took_us, %failure, "call");
                }
            },
        }
    }
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        if let Some(call) = self.0 {
            call.ended().end_trace(Code::Cancelled);
        }
    }
}

/// The language that the person reads.
pub(crate) fn locale(headers: &HeaderMap) -> Locale {
    let languages = headers.get(ACCEPT_LANGUAGE).map(HeaderValue::to_str);
    languages
        .and_then(Result::ok)
        .map(Locale::negotiate)
        .unwrap_or_default()
}

impl RequestId {
    /// The caller's id of the request, if it is a harmless one, or a new one.
    pub(crate) fn of(headers: &HeaderMap, random: &dyn Random) -> Self {
        match headers.get(REQUEST_ID).filter(|id| is_harmless(id)) {
            Some(given) => Self::Given(given.clone()),
            None => Self::Made(generated(random)),
        }
    }

    /// Says it in the headers of an answer.
    pub(crate) fn add_to(&self, answer: &mut Response<Body>) {
        answer.headers_mut().insert(REQUEST_ID, self.to_header());
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Given(id) => id.to_str().unwrap_or_default(),
            Self::Made(id) => std::str::from_utf8(id).unwrap_or_default(),
        }
    }

    fn to_header(&self) -> HeaderValue {
        let mut header = match self {
            Self::Given(id) => id.clone(),
            Self::Made(id) => {
                HeaderValue::from_bytes(id).unwrap_or_else(|_| HeaderValue::from_static("-"))
            }
        };
        // It never comes again: HPACK is not to keep it in its tables.
        header.set_sensitive(true);
        header
    }
}

fn is_harmless(id: &HeaderValue) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    (1..=64).contains(&id.len()) && id.as_bytes().iter().all(is_plain)
}

fn generated(random: &dyn Random) -> [u8; 16] {
    const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut bits = [0; 16];
    random.fill(&mut bits[..10]);
    let bits = u128::from_le_bytes(bits);
    std::array::from_fn(|place| BASE32[(bits >> (5 * place)) as usize & 31])
}

#[expect(
    clippy::disallowed_methods,
    reason = "the duration of a call is measured, nothing is decided by it"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}
