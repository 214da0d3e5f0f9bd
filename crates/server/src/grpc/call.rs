//! A call: what its headers say, and how its end is logged, counted and
//! answered.

use std::fmt::Display;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_domain::model::Locale;
use countersign_domain::ports::Random;
use http::header::ACCEPT_LANGUAGE;
use http::{HeaderMap, HeaderValue, Response};
use tokio::time::timeout;
use tonic::body::Body;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::grpc::callers::KnownCaller;
use crate::grpc::rpc_table::Rpc;
use crate::grpc::stranger_log::StrangerLog;
use crate::metrics;
use crate::status::{self, Failure, Outcome};
use crate::traces::{CallTrace, EndedCall};

const REQUEST_ID: &str = "x-request-id";

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
pub(crate) struct RequestId(HeaderValue);

impl Call {
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

    /// The answer, if it comes in time; the end of the call is logged and
    /// counted. A failure that a handler told was so already, and has its
    /// details; what tonic makes by itself gets them here.
    pub(crate) async fn answer<E>(
        &self,
        limit: Duration,
        answer: Pin<&mut impl Future<Output = Result<Response<Body>, E>>>,
    ) -> Result<Response<Body>, E> {
        let mut unanswered = Unanswered(self.trace.is_some().then_some(self));
        let answer = timeout(limit, answer).await;
        unanswered.0 = None;
        let Ok(answer) = answer else {
            return Ok(self.refuse(&Failure::Deadline).into_http());
        };
        let mut response = answer?;
        match Outcome::of(response.headers()) {
            Outcome::Answered => {
                self.ended().note(Code::Ok, None);
                let id = self.request_id.0.clone();
                response.headers_mut().insert(REQUEST_ID, id);
            }
            Outcome::Bare(failure) => response = self.refuse(&failure).into_http(),
            Outcome::Explained => {}
        }
        Ok(response)
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
            status.metadata_mut().insert(REQUEST_ID, id);
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
        metrics::call(rpc, code, took);
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
        let given = headers.get(REQUEST_ID).filter(|id| is_harmless(id));
        let mut id = given.cloned().unwrap_or_else(|| generated(random));
        // It never comes again: HPACK is not to keep it in its tables.
        id.set_sensitive(true);
        Self(id)
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

fn is_harmless(id: &HeaderValue) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    (1..=64).contains(&id.len()) && id.as_bytes().iter().all(is_plain)
}

fn generated(random: &dyn Random) -> HeaderValue {
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    let id = uuid::Builder::from_random_bytes(bytes).into_uuid();
    let mut buffer = Uuid::encode_buffer();
    let id: &str = id.as_hyphenated().encode_lower(&mut buffer);
    HeaderValue::from_str(id).unwrap_or_else(|_| HeaderValue::from_static("-"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the duration of a call is measured, nothing is decided by it"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}
