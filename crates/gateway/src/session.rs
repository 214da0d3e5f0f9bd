//! The browser's session is renewed where the access token has expired.

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State as Shared};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use countersign_client::Error;
use countersign_client::proto::RefreshTokensRequest;
use http::header::CACHE_CONTROL;
use http::{HeaderMap, HeaderValue, Method};
use serde::Deserialize;

use crate::context::Context;
use crate::cookies;
use crate::origin::own_pages_only;
use crate::problem::Problem;
use crate::return_to;
use crate::state::State;
use crate::url::query;

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// The routes. The refresh token's cookie is sent to those below [`cookies::REFRESH_PATH`] alone.
pub(crate) fn routes(state: &State) -> Router<State> {
    Router::new()
        .route("/session/renew", get(renew).post(renew))
        .layer(from_fn_with_state(state.clone(), own_pages_only))
}

#[derive(Debug, Deserialize)]
struct Way {
    #[serde(default)]
    return_to: String,
}

/// Exchanges the refresh token and leads back. Two tabs that do so at once get the same successor, by the service's
/// grace time. A form that was sent with an expired token comes along: 307 keeps method and body.
async fn renew(
    Shared(state): Shared<State>,
    context: Context,
    method: Method,
    headers: HeaderMap,
    way: Result<Query<Way>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(way) = way.map_err(|error| Problem::malformed(error.body_text()))?;
    let place = return_to::checked(&state, &way.return_to);
    // A form goes to no other host.
    let place = place.filter(|place| method == Method::GET || place.starts_with('/'));
    let place = place.unwrap_or_else(|| "/".to_owned());
    let sign_in = |clears: bool| {
        let mut response =
            Redirect::to(&format!("/login?{}", query("return_to", &place))).into_response();
        if clears {
            cookies::clear(response.headers_mut());
        }
        response
    };
    let Some(refresh_token) = cookies::read(&headers, cookies::REFRESH) else {
        return Ok(no_store(sign_in(false)));
    };
    let message = RefreshTokensRequest {
        refresh_token: refresh_token.to_owned(),
        client_context: context.client(),
    };
    let answer = state
        .client
        .auth()
        .refresh_tokens(context.request(message))
        .await;
    let tokens = match answer.map_err(Error::from) {
        Ok(answer) => answer.into_inner().tokens,
        Err(Error::Refused(_)) => return Ok(no_store(sign_in(true))),
        Err(error) => return Err(error.into()),
    };
    let tokens = tokens.ok_or_else(|| Problem::incomplete("tokens"))?;
    let mut response = Redirect::temporary(&place).into_response();
    cookies::set_tokens(response.headers_mut(), &tokens)?;
    Ok(no_store(response))
}

fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    response
}
