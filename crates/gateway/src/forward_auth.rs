//! `GET /auth/verify`: one answer for nginx (`auth_request`), Traefik (ForwardAuth) and Caddy (`forward_auth`), which
//! ask about each request of an application that they stand before.

use axum::response::{IntoResponse as _, Redirect, Response};
use countersign_client::{Requirement, ValidateError};
use http::header::{ACCEPT, ALLOW, CACHE_CONTROL};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use tonic::body::Body;

use crate::credentials::access_token;
use crate::identity::add_nobody;
use crate::problem::Problem;
use crate::return_to;
use crate::state::State;
use crate::url::query;

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// What becomes of a request that shows no token.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Nobody {
    /// Only who is somebody passes.
    Denied,
    /// It passes as nobody. No query can ask for it: some proxies hand on that of the stranger.
    Passes,
}

impl Nobody {
    /// What holds at a path; `None` if nothing is asked there.
    pub(crate) fn at(path: &str) -> Option<Self> {
        match path {
            "/auth/verify" => Some(Self::Denied),
            "/auth/verify/optional" => Some(Self::Passes),
            _ => None,
        }
    }
}

/// The headers of an answer to a request that passes as nobody's.
pub(crate) fn anonymous() -> HeaderMap {
    let mut headers = HeaderMap::new();
    add_nobody(&mut headers);
    headers.insert(CACHE_CONTROL, NO_STORE);
    headers
}

/// Answers whether a request may pass: `Ok` says who, `Err` why it may not. `anonymous` are the headers of an answer to
/// one that passes as nobody's.
pub(crate) async fn judge(
    state: &State,
    anonymous: &HeaderMap,
    nobody: Nobody,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<http::Response<Body>, Response> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Err(other_method());
    }
    let requirement = required(uri, headers).map_err(Problem::into_response)?;
    let Some(token) = access_token(headers) else {
        return match nobody {
            Nobody::Denied => Err(denied(state, headers, Problem::no_token())),
            Nobody::Passes => Ok(answer(anonymous.clone())),
        };
    };
    let identified = state.verifier.identify(token, &requirement, anonymous);
    match identified.await {
        Ok(headers) => Ok(answer(headers)),
        Err(error @ ValidateError::CouldNotTell(_)) => Err(Problem::from(error).into_response()),
        Err(error) => Err(denied(state, headers, error.into())),
    }
}

fn other_method() -> Response {
    let mut response = Problem::unknown_method().into_response();
    let allowed = HeaderValue::from_static("GET,HEAD");
    response.headers_mut().insert(ALLOW, allowed);
    response
}

/// The scopes that the query asks for.
///
/// Some proxies hand on the query of the stranger, who cannot be told from the proxy's configuration then: what such a
/// query says beside is passed over, but it never asks for less than it says.
fn required(uri: &Uri, headers: &HeaderMap) -> Result<Requirement, Problem> {
    let mut requirement = Requirement::new();
    let query = uri.query().unwrap_or_default();
    if query.is_empty() {
        return Ok(requirement);
    }
    let forwarded = headers.get("x-forwarded-uri").map(HeaderValue::as_bytes);
    let theirs = forwarded.and_then(|uri| uri.splitn(2, |&byte| byte == b'?').nth(1));
    let may_be_theirs = theirs == Some(query.as_bytes());
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query)
        .map_err(|error| Problem::malformed(format!("the query: {error}")))?;
    for (name, value) in pairs {
        match name.as_str() {
            "scope" => {
                for scope in value.split_ascii_whitespace() {
                    requirement = requirement.with_scope(scope);
                }
            }
            _ if may_be_theirs => {}
            _ => {
                let detail = format!("the query: {name}: not known; it may have scope=…");
                return Err(Problem::malformed(detail));
            }
        }
    }
    Ok(requirement)
}

fn answer(headers: HeaderMap) -> http::Response<Body> {
    let mut response = http::Response::new(Body::empty());
    *response.headers_mut() = headers;
    response
}

/// Programs get 401 or 403; a person's browser, where the proxy says what it asked for, is led to the sign-in, and
/// from there back.
fn denied(state: &State, headers: &HeaderMap, problem: Problem) -> Response {
    let may_sign_in = problem.status == StatusCode::UNAUTHORIZED;
    let place = asked_for(headers).filter(|_| may_sign_in && wants_page(headers));
    let place = place.and_then(|place| return_to::checked(state, &place));
    let mut response = match place {
        Some(place) => {
            let origin = state.public_url.origin();
            let location = format!("{origin}/session/renew?{}", query("return_to", &place));
            Redirect::to(&location).into_response()
        }
        None => problem.into_response(),
    };
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    response
}

/// What the browser asked the proxy for, as Traefik and Caddy tell it (`X-Forwarded-…`).
fn asked_for(headers: &HeaderMap) -> Option<String> {
    let read = |name: &'static str| headers.get(name)?.to_str().ok();
    let method = read("x-forwarded-method")?;
    if method != Method::GET.as_str() {
        return None;
    }
    let (scheme, host, path) = (
        read("x-forwarded-proto")?,
        read("x-forwarded-host")?,
        read("x-forwarded-uri")?,
    );
    path.starts_with('/')
        .then(|| format!("{scheme}://{host}{path}"))
}

fn wants_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}
