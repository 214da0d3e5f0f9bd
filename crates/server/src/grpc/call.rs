//! A call: what its headers say, and how its end is logged, counted and, if it
//! is refused, answered.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_domain::model::Locale;
use countersign_domain::ports::Random;
use http::{Extensions, HeaderMap, HeaderValue};
use tonic::transport::server::{TcpConnectInfo, TlsConnectInfo};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::grpc::caller_authenticator::KnownCaller;
use crate::grpc::rpc_table::Rpc;
use crate::metrics;
use crate::status::{self, Failure};

/// A call whose caller may make it.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) caller: Arc<KnownCaller>,
    pub(crate) locale: Locale,
    pub(crate) rpc: &'static Rpc,
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) request_id: Box<str>,
    pub(crate) began: Instant,
}

/// A call that has ended, as it is logged and counted.
pub(crate) struct Ended<'a> {
    pub(crate) rpc: &'static Rpc,
    /// The caller's name, if it is known.
    pub(crate) caller: Option<&'a str>,
    /// The other end of the connection.
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) request_id: &'a str,
    pub(crate) took: Duration,
}

impl Call {
    /// The call as it has ended now.
    pub(crate) fn ended(&self) -> Ended<'_> {
        Ended {
            rpc: self.rpc,
            caller: Some(&self.caller.name),
            peer: self.peer,
            request_id: &self.request_id,
            took: self.began.elapsed(),
        }
    }
}

impl Ended<'_> {
    /// Logs and counts an answer.
    pub(crate) fn answer(&self) {
        self.note(Code::Ok, None);
    }

    /// Logs and counts a failure, and tells the status that says so.
    pub(crate) fn refuse(&self, failure: &Failure, locale: Locale) -> Status {
        let mut status = status::status(failure, locale, self.request_id);
        self.note(status.code(), Some(failure));
        if let Ok(id) = self.request_id.parse() {
            status.metadata_mut().insert("x-request-id", id);
        }
        status
    }

    fn note(&self, code: Code, failure: Option<&Failure>) {
        let Self {
            rpc,
            request_id,
            took,
            ..
        } = *self;
        let caller = self.caller.unwrap_or("-");
        let peer = self.peer.map(tracing::field::display);
        metrics::call(rpc, code, took);
        let rpc = rpc.name;
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        match failure {
            None => tracing::info!(rpc, ?code, caller, peer, request_id, took_us, "call"),
            Some(failure) => match code {
                Code::Internal => {
                    tracing::error!(rpc, ?code, caller, peer, request_id, took_us, %failure, "call");
                }
                Code::Unavailable | Code::DeadlineExceeded => {
                    tracing::warn!(rpc, ?code, caller, peer, request_id, took_us, %failure, "call");
                }
                _ => {
                    tracing::info!(rpc, ?code, caller, peer, request_id, took_us, %failure, "call");
                }
            },
        }
    }
}

/// The other end of the connection that a request came over.
pub(crate) fn peer(extensions: &Extensions) -> Option<SocketAddr> {
    let plain = extensions.get::<TcpConnectInfo>();
    let secured = || {
        Some(
            extensions
                .get::<TlsConnectInfo<TcpConnectInfo>>()?
                .get_ref(),
        )
    };
    plain.or_else(secured)?.remote_addr
}

/// The language that the person reads.
pub(crate) fn locale(headers: &HeaderMap) -> Locale {
    text(headers, "accept-language")
        .map(Locale::negotiate)
        .unwrap_or_default()
}

/// The caller's id of the request, if it is a harmless one, or a new one.
pub(crate) fn request_id(headers: &HeaderMap, random: &dyn Random) -> Box<str> {
    let is_harmless = |id: &&str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    match text(headers, "x-request-id").filter(is_harmless) {
        Some(id) => id.into(),
        None => {
            let mut bytes = [0; 16];
            random.fill(&mut bytes);
            let id = uuid::Builder::from_random_bytes(bytes).into_uuid();
            let mut buffer = Uuid::encode_buffer();
            (*id.as_hyphenated().encode_lower(&mut buffer)).into()
        }
    }
}

/// The time that the caller allows: at most eight digits and a unit.
pub(crate) fn grpc_timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = text(headers, "grpc-timeout")?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(amount * 3600),
        "M" => Duration::from_secs(amount * 60),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    })
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(HeaderValue::to_str)?.ok()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the duration of a call is measured, nothing is decided by it"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_callers_deadline_is_read() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-timeout", text.parse().expect("a header"));
            grpc_timeout(&headers)
        };
        assert_eq!(read("250m"), Some(Duration::from_millis(250)));
        assert_eq!(read("2S"), Some(Duration::from_secs(2)));
        assert_eq!(
            read("99999999H"),
            Some(Duration::from_secs(99_999_999 * 3600))
        );
        for wrong in ["", "S", "5", "-1S", "+1S", "123456789S", "1x"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
