//! The endpoints of OAuth: `/token` (RFC 6749), `/introspect` (RFC 7662) and `/revoke` (RFC 7009).

use axum::extract::State as Shared;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use countersign_client::proto::RevokeTokenRequest;
use countersign_client::{Client, Requirement, ValidateError};
use http::header::{AUTHORIZATION, CACHE_CONTROL, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::json;

use crate::claims_json::claims_json;
use crate::context::Context;
use crate::input::FormBody;
use crate::problem::Problem;
use crate::state::State;
use crate::token_routes::{self, PairForm};

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// The routes.
pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/token", post(token))
        .route("/introspect", post(introspect))
        .route("/revoke", post(revoke))
}

/// A grant, as RFC 6749 writes it.
#[derive(Debug, Deserialize)]
struct TokenRequest {
    grant_type: String,
    username: Option<String>,
    password: Option<String>,
    refresh_token: Option<String>,
    #[serde(default)]
    scope: String,
}

async fn token(
    Shared(state): Shared<State>,
    context: Context,
    body: Result<FormBody<TokenRequest>, Problem>,
) -> Response {
    let answer = match body {
        Ok(FormBody(request)) => grant(&state, &context, request).await,
        Err(problem) => Err(problem),
    };
    answer.unwrap_or_else(Problem::into_oauth_error)
}

async fn grant(
    state: &State,
    context: &Context,
    request: TokenRequest,
) -> Result<Response, Problem> {
    let missing = |field| Problem::field(field, "is required for this grant_type");
    let pair = match request.grant_type.as_str() {
        "password" => {
            let form = PairForm {
                grant_type: None,
                username: request.username.ok_or_else(|| missing("username"))?,
                password: request.password.ok_or_else(|| missing("password"))?,
                scope: request.scope,
                group_id: None,
            };
            token_routes::issue(state, context, form.try_into()?).await?
        }
        "refresh_token" => {
            let token = request
                .refresh_token
                .ok_or_else(|| missing("refresh_token"))?;
            token_routes::exchange(state, context, token).await?
        }
        _ => {
            let body = json!({
                "error": "unsupported_grant_type",
                "error_description": "grant_type must be password or refresh_token",
            });
            return Ok((StatusCode::BAD_REQUEST, Json(body)).into_response());
        }
    };
    Ok(([(CACHE_CONTROL, NO_STORE)], Json(pair)).into_response())
}

/// A question about a token, of a resource server.
#[derive(Debug, Deserialize)]
struct IntrospectRequest {
    token: String,
    client_secret: Option<String>,
}

/// Tells a resource server, which proves itself by the API key of a caller with the role `service`, whether a token is
/// good. It is judged as that caller's question.
async fn introspect(
    Shared(state): Shared<State>,
    headers: HeaderMap,
    body: Result<FormBody<IntrospectRequest>, Problem>,
) -> Response {
    let request = match body {
        Ok(FormBody(request)) => request,
        Err(problem) => return problem.into_oauth_error(),
    };
    let key = request.client_secret.or_else(|| shown_key(&headers));
    let Some(key) = key else {
        return unknown_client();
    };
    let Ok(client) = state.client.with_api_key(&key) else {
        return unknown_client();
    };
    answer(&client, &request.token).await
}

async fn answer(client: &Client, token: &str) -> Response {
    let body = match client.validate_token(token, &Requirement::new()).await {
        Ok(identity) => {
            let mut body = claims_json(&identity);
            body.insert("active".into(), true.into());
            body.insert("token_type".into(), "Bearer".into());
            json!(body)
        }
        Err(ValidateError::CouldNotTell(error)) if is_unknown(&error) => return unknown_client(),
        Err(ValidateError::CouldNotTell(error)) => {
            let error = countersign_client::Error::CouldNotTell(error);
            return Problem::from(error).into_oauth_error();
        }
        // Why it is not, is nobody's business (RFC 7662, section 2.2).
        Err(_) => json!({"active": false}),
    };
    ([(CACHE_CONTROL, NO_STORE)], Json(body)).into_response()
}

fn is_unknown(error: &countersign_client::CouldNotTell) -> bool {
    use countersign_client::ErrorReason;
    matches!(
        error.reason,
        Some(ErrorReason::CallerUnknown | ErrorReason::CallerNotPermitted)
    )
}

/// The secret of `Authorization: Basic …`, whatever the id beside it, or the token of `Authorization: Bearer …`.
fn shown_key(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, shown) = value.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(shown.trim().to_owned());
    }
    let pair = BASE64_STANDARD.decode(shown.trim()).ok()?;
    let pair = String::from_utf8(pair).ok()?;
    let is_basic = scheme.eq_ignore_ascii_case("basic");
    let (_, secret) = pair.split_once(':').filter(|_| is_basic)?;
    decoded(secret)
}

/// The secret, which clients of OAuth encode as in a form (RFC 6749, section 2.3.1): `csk%5F…`. In a key that is not
/// encoded there is nothing to decode.
fn decoded(secret: &str) -> Option<String> {
    let form = format!("secret={secret}");
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(&form).ok()?;
    let [(_, secret)] = <[_; 1]>::try_from(pairs).ok()?;
    Some(secret)
}

fn unknown_client() -> Response {
    let body = json!({
        "error": "invalid_client",
        "error_description": "an API key with the role `service` is required, as the client secret",
    });
    let challenge = HeaderValue::from_static("Basic realm=\"countersign\"");
    let headers = [(WWW_AUTHENTICATE, challenge)];
    (StatusCode::UNAUTHORIZED, headers, Json(body)).into_response()
}

/// A token that its holder wants ended.
#[derive(Debug, Deserialize)]
struct RevokeRequest {
    token: String,
}

async fn revoke(
    Shared(state): Shared<State>,
    context: Context,
    body: Result<FormBody<RevokeRequest>, Problem>,
) -> Response {
    let FormBody(request) = match body {
        Ok(request) => request,
        Err(problem) => return problem.into_oauth_error(),
    };
    let message = RevokeTokenRequest {
        token: request.token,
    };
    let mut auth = state.client.auth();
    match auth.revoke_token(context.request(message)).await {
        Ok(_) => StatusCode::OK.into_response(),
        Err(status) => Problem::from(status).into_oauth_error(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_whether_or_not_the_client_encodes_it() {
        for (pair, secret) in [
            ("shop:csk_a-b_c", Some("csk_a-b_c")),
            ("shop:csk%5Fa%2Db%5Fc", Some("csk_a-b_c")),
            ("shop:", Some("")),
            ("shop:a&b=c", None),
            ("shop", None),
        ] {
            let value = format!("Basic {}", BASE64_STANDARD.encode(pair));
            let value = HeaderValue::from_str(&value).unwrap();
            let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
            assert_eq!(shown_key(&headers).as_deref(), secret, "{pair}");
        }
    }
}
