//! `/.well-known/…`: the keys that verify tokens, what there is of OAuth (RFC 8414), and where a password is changed.

use axum::extract::State as Shared;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use axum::{Json, Router};
use countersign_client::proto::ListSigningKeysRequest;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use serde_json::json;

use crate::context::Context;
use crate::problem::Problem;
use crate::state::State;

/// Keys are published long before they sign, so that verifiers may keep them for some minutes.
const KEYS_ARE_FRESH: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// The routes.
pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/.well-known/jwks.json", get(keys))
        .route("/.well-known/oauth-authorization-server", get(metadata))
        .route("/.well-known/change-password", get(change_password))
}

async fn keys(Shared(state): Shared<State>, context: Context) -> Result<Response, Problem> {
    let request = context.request(ListSigningKeysRequest {});
    let answer = state.client.auth().list_signing_keys(request).await?;
    let headers = [
        (
            CONTENT_TYPE,
            HeaderValue::from_static("application/jwk-set+json"),
        ),
        (CACHE_CONTROL, KEYS_ARE_FRESH),
    ];
    Ok((headers, answer.into_inner().jwks).into_response())
}

async fn metadata(Shared(state): Shared<State>) -> Result<Response, Problem> {
    let issuer = state.settings.issuer.as_str();
    // An issuer is a URL here (RFC 8414, section 2); without one there is no metadata.
    if !issuer.starts_with("https://") && !issuer.starts_with("http://") {
        let detail = "there is metadata where `tokens.issuer` is the URL of the gateway";
        return Err(Problem::new(StatusCode::NOT_FOUND, "PATH_UNKNOWN", detail));
    }
    let origin = state.public_url.origin();
    let at = |path: &str| format!("{origin}{path}");
    let metadata = json!({
        "issuer": issuer,
        "jwks_uri": at("/.well-known/jwks.json"),
        "token_endpoint": at("/token"),
        "token_endpoint_auth_methods_supported": ["none"],
        "grant_types_supported": ["password", "refresh_token"],
        "response_types_supported": [],
        "introspection_endpoint": at("/introspect"),
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "revocation_endpoint": at("/revoke"),
        "revocation_endpoint_auth_methods_supported": ["none"],
    });
    Ok(([(CACHE_CONTROL, KEYS_ARE_FRESH)], Json(metadata)).into_response())
}

async fn change_password() -> Redirect {
    Redirect::to("/profile/password")
}
