//! What gRPC's specification wants of every request, whatever it asks for:
//! method, content type, encoding, time ("gRPC over HTTP/2", "Requests").

use std::time::Duration;

use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use tonic::body::Body;

/// The head of a message, in bytes: whether it is compressed, and its length.
pub(crate) const HEAD: usize = 5;

/// The time that the caller allows.
const TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// How the messages of a request are compressed.
pub(crate) const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");

/// How the messages of a request may be compressed.
pub(crate) const ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");

/// What is said in it.
pub(crate) const ENCODINGS: HeaderValue = HeaderValue::from_static("identity,gzip");

/// A compression that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// None.
    Identity,
    /// RFC 1952.
    Gzip,
}

impl Encoding {
    /// That of a request; `None` if it is not known.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        match headers.get(ENCODING).map(HeaderValue::as_bytes) {
            None | Some(b"identity") => Some(Self::Identity),
            Some(b"gzip") => Some(Self::Gzip),
            Some(_) => None,
        }
    }
}

/// What is not gRPC has an answer of HTTP.
pub(crate) fn refuse(request: &Request<Body>) -> Option<Response<Body>> {
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

/// The time that the caller allows: at most eight digits and a unit.
pub(crate) fn timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(TIMEOUT)?.to_str().ok()?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().expect("a header"))])
    }

    #[test]
    fn protobuf_in_grpc_is_taken_and_nothing_else() {
        for good in [
            "application/grpc",
            "application/grpc+proto",
            "application/grpc;charset=utf-8",
            "application/grpc+proto; x",
        ] {
            assert!(is_grpc(&with(CONTENT_TYPE, good)), "{good}");
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
            assert!(!is_grpc(&with(CONTENT_TYPE, foreign)), "{foreign}");
        }
    }

    #[test]
    fn gzip_is_the_only_compression_that_is_known() {
        assert_eq!(Encoding::of(&HeaderMap::new()), Some(Encoding::Identity));
        for (name, encoding) in [
            ("identity", Some(Encoding::Identity)),
            ("gzip", Some(Encoding::Gzip)),
            ("deflate", None),
            ("", None),
            ("GZIP", None),
            ("gzip, gzip", None),
        ] {
            assert_eq!(Encoding::of(&with(ENCODING, name)), encoding, "{name}");
        }
    }

    #[test]
    fn the_callers_time_is_read() {
        let read = |text: &str| timeout(&with(HeaderName::from_static("grpc-timeout"), text));
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
