//! Whether a request that changes something comes from the gateway's own pages, and whether it was meant for this host.

use axum::extract::{Request, State as Shared};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{HOST, ORIGIN};
use http::{HeaderMap, HeaderName, Method, StatusCode};

use crate::problem::Problem;
use crate::state::State;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What the browser says about where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The gateway's own pages, or the person (an address typed, a bookmark).
    Own,
    /// Another site.
    Foreign,
    /// It says nothing: an old browser, or a program.
    Unknown,
}

/// Reads Fetch Metadata, or else `Origin`.
pub(crate) fn source(headers: &HeaderMap, own_origin: &str) -> Source {
    if let Some(site) = headers.get(SEC_FETCH_SITE) {
        return match site.as_bytes() {
            b"same-origin" | b"none" => Source::Own,
            _ => Source::Foreign,
        };
    }
    match headers.get(ORIGIN) {
        Some(origin)
            if origin
                .as_bytes()
                .eq_ignore_ascii_case(own_origin.as_bytes()) =>
        {
            Source::Own
        }
        Some(_) => Source::Foreign,
        None => Source::Unknown,
    }
}

/// Refuses what another site sends in a person's name, for pages that act by cookies.
pub(crate) async fn own_pages_only(
    Shared(state): Shared<State>,
    mut request: Request,
    next: Next,
) -> Response {
    let source = source(request.headers(), state.public_url.origin());
    let changes = !matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    if changes && source == Source::Foreign {
        let detail = "the request comes from another site";
        return Problem::new(StatusCode::FORBIDDEN, "FOREIGN_ORIGIN", detail).into_response();
    }
    request.extensions_mut().insert(source);
    next.run(request).await
}

/// Refuses requests for a host that is not the gateway's: a page of another name, which its owner has let point here
/// (DNS rebinding), could otherwise read what is answered.
pub(crate) async fn own_host_only(
    Shared(state): Shared<State>,
    request: Request,
    next: Next,
) -> Response {
    let authority = request.uri().authority();
    let host = authority.map(http::uri::Authority::as_str);
    let mut hosts = request.headers().get_all(HOST).iter();
    let (first, second) = (hosts.next(), hosts.next());
    // Of two, nobody could tell which one was meant (RFC 9112, section 3.2).
    let host = host
        .or_else(|| first?.to_str().ok())
        .filter(|_| second.is_none());
    if host.is_some_and(|host| is_own(host, state.public_url.host())) {
        return next.run(request).await;
    }
    let detail = "this host is not served here: see `gateway.public_url`";
    Problem::new(StatusCode::MISDIRECTED_REQUEST, "HOST_UNKNOWN", detail).into_response()
}

/// No name of a stranger is an address, or this machine's own name.
fn is_own(authority: &str, own: &str) -> bool {
    let authority = Some(authority).filter(|authority| !authority.contains('@'));
    let Some(Ok(authority)) = authority.map(str::parse::<http::uri::Authority>) else {
        return false;
    };
    let host = authority.host().to_ascii_lowercase();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == own || host == "localhost" || address.parse::<std::net::IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_site_sends_is_foreign() {
        let own = "https://login.example";
        for (site, origin, expected) in [
            (Some("same-origin"), None, Source::Own),
            (Some("none"), None, Source::Own),
            (Some("same-site"), Some(own), Source::Foreign),
            (Some("cross-site"), Some(own), Source::Foreign),
            (None, Some(own), Source::Own),
            (None, Some("null"), Source::Foreign),
            (
                None,
                Some("https://login.example.evil.example"),
                Source::Foreign,
            ),
            (None, Some("http://login.example"), Source::Foreign),
            (None, None, Source::Unknown),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(site) = site {
                headers.insert(SEC_FETCH_SITE, site.parse().unwrap());
            }
            if let Some(origin) = origin {
                headers.insert(ORIGIN, origin.parse().unwrap());
            }
            assert_eq!(source(&headers, own), expected, "{site:?} {origin:?}");
        }
    }

    #[test]
    fn a_name_that_points_here_is_not_ours() {
        for own in [
            "login.example",
            "LOGIN.example:8443",
            "127.0.0.1:8080",
            "[::1]:8080",
            "localhost:1",
        ] {
            assert!(is_own(own, "login.example"), "{own}");
        }
        for foreign in [
            "evil.example",
            "login.example.evil.example",
            "",
            "a b",
            "localhost.evil.example",
            "evil.example@127.0.0.1",
        ] {
            assert!(!is_own(foreign, "login.example"), "{foreign}");
        }
    }
}
