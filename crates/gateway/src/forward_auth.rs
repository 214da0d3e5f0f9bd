//! `GET /auth/verify`: one answer for nginx (`auth_request`), Traefik (ForwardAuth) and Caddy (`forward_auth`), which
//! ask about each request of an application that they stand before.

use axum::Router;
use axum::extract::State as Shared;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use countersign_client::{Claims, Requirement, ValidateError, VerifyToken as _};
use http::header::{ACCEPT, CACHE_CONTROL};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use serde::Deserialize;

use crate::credentials::access_token;
use crate::problem::Problem;
use crate::return_to;
use crate::state::State;
use crate::url::query;

const USER: HeaderName = HeaderName::from_static("x-auth-user");
const GROUP: HeaderName = HeaderName::from_static("x-auth-group");
const SESSION: HeaderName = HeaderName::from_static("x-auth-session");
const CLIENT: HeaderName = HeaderName::from_static("x-auth-client");
const SCOPES: HeaderName = HeaderName::from_static("x-auth-scopes");
const ROLES: HeaderName = HeaderName::from_static("x-auth-roles");

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// The routes.
pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/auth/verify", get(verify))
        .route("/auth/verify/optional", get(verify_optional))
}

/// What the proxy's configuration asks for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// All of these scopes, with spaces between.
    #[serde(default)]
    scope: String,
}

/// Lets those pass who are somebody.
async fn verify(Shared(state): Shared<State>, uri: Uri, headers: HeaderMap) -> Response {
    judge(&state, &uri, &headers, || {
        denied(&state, &headers, Problem::no_token())
    })
    .await
}

/// Lets those pass, too, who show no token, as nobody. No query can ask for it: some proxies hand on that of the
/// stranger.
async fn verify_optional(Shared(state): Shared<State>, uri: Uri, headers: HeaderMap) -> Response {
    judge(&state, &uri, &headers, || identity_headers(None)).await
}

async fn judge(
    state: &State,
    uri: &Uri,
    headers: &HeaderMap,
    nobody: impl FnOnce() -> Response,
) -> Response {
    let asked = match asked(uri, headers) {
        Ok(asked) => asked,
        Err(problem) => return problem.into_response(),
    };
    let Some(token) = access_token(headers) else {
        return nobody();
    };
    let mut requirement = Requirement::new();
    for scope in asked.scope.split_ascii_whitespace() {
        requirement = requirement.with_scope(scope);
    }
    match state.verifier.verify(token, &requirement).await {
        Ok(identity) => identity_headers(Some(&identity)),
        Err(error @ ValidateError::CouldNotTell(_)) => Problem::from(error).into_response(),
        Err(error) => denied(state, headers, error.into()),
    }
}

/// What the query asks for, unless it is the one that the stranger sent the proxy.
fn asked(uri: &Uri, headers: &HeaderMap) -> Result<Asked, Problem> {
    let forwarded = headers
        .get("x-forwarded-uri")
        .and_then(|value| value.to_str().ok());
    let forwarded = forwarded.and_then(|uri| uri.split_once('?'));
    let query = uri.query().unwrap_or_default();
    if forwarded.is_some_and(|(_, theirs)| theirs == query) {
        return Ok(Asked::default());
    }
    serde_urlencoded::from_str(query)
        .map_err(|error| Problem::malformed(format!("the query: {error}; it may have scope=…")))
}

/// Says who it is. Each header is always there, if need be empty, so that it takes the place of what a stranger sent.
fn identity_headers(claims: Option<&Claims>) -> Response {
    let text = |of: fn(&Claims) -> String| claims.map(of).unwrap_or_default();
    let said = [
        (USER, text(|claims| claims.user_id.clone())),
        (GROUP, text(|claims| claims.group_id.clone())),
        (SESSION, text(|claims| claims.session_id.clone())),
        (CLIENT, text(|claims| claims.client_id.clone())),
        (SCOPES, text(|claims| claims.scopes.join(" "))),
        (ROLES, text(|claims| claims.roles.join(","))),
    ];
    let mut response = StatusCode::OK.into_response();
    for (name, value) in said {
        let Ok(value) = HeaderValue::try_from(value) else {
            return Problem::incomplete("claims").into_response();
        };
        response.headers_mut().insert(name, value);
    }
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
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
