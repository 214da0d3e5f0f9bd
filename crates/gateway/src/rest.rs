//! REST: the RPCs of the contract under paths, their messages as JSON. One table says which; how a message is read and
//! written, and what is documented of it, follows from the contract.

mod call;
mod members;
mod message;
mod openapi;
mod table;

#[cfg(test)]
mod tests;

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, RawQuery, Request, State as Shared};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodFilter, get, on};
use axum::{Json, Router};
use countersign_client::{Requirement, VerifyToken as _};
use http::{HeaderMap, StatusCode};

use self::call::call;
use self::message::{Filled, fill, read, write};
use self::table::{Auth, Endpoint, endpoints};
use crate::context::Context;
use crate::credentials::{access_token, api_key};
use crate::input::json_text;
use crate::origin::{Source, source};
use crate::problem::Problem;
use crate::state::State;

/// The routes, and their description.
pub(crate) fn routes() -> Router<State> {
    let description = openapi::document(endpoints());
    let mut router =
        Router::new().route("/v1/openapi.json", get(|| async move { Json(description) }));
    for endpoint in endpoints() {
        let filter = MethodFilter::try_from(endpoint.method.clone())
            .expect("the table has methods of HTTP alone");
        let handler = async move |state: Shared<State>,
                                  context: Context,
                                  path: Result<RawPathParams, RawPathParamsRejection>,
                                  query: RawQuery,
                                  request: Request| {
            let answer = serve(endpoint, state.0, context, path, query, request).await;
            answer.unwrap_or_else(Problem::into_response)
        };
        router = router.route(endpoint.path, on(filter, handler));
    }
    router
}

async fn serve(
    endpoint: &'static Endpoint,
    state: State,
    context: Context,
    path: Result<RawPathParams, RawPathParamsRejection>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, Problem> {
    let headers = request.headers().clone();
    let access_token = person(endpoint, &state, &headers).await?;
    let body = json_text(request).await?;
    let mut message = read(endpoint, &body, query.as_deref().unwrap_or_default())?;
    let path = path.map_err(|error| Problem::malformed(error.body_text()))?;
    let path = path.iter().map(|(name, value)| (name, value.to_owned()));
    fill(
        &mut message,
        Filled {
            path: path.collect(),
            access_token,
            group_id: state.settings.group_id.clone(),
            context: context.client.clone(),
            request_id: idempotency_key(&headers)?,
        },
    )?;
    let client = match endpoint.auth {
        Auth::Caller => {
            let key = api_key(&headers).ok_or_else(no_key)?;
            state.client.with_api_key(key).map_err(|_| no_key())?
        }
        Auth::Nobody | Auth::Person => state.client.clone(),
    };
    let answer = call(&client, endpoint, context.request(message)).await?;
    Ok(Json(write(&answer)?).into_response())
}

/// Whose access token the request carries: one that is meant for the gateway (RFC 9068, section 4). A cookie counts
/// only if the gateway's own pages send it.
async fn person(
    endpoint: &Endpoint,
    state: &State,
    headers: &HeaderMap,
) -> Result<Option<String>, Problem> {
    if endpoint.auth != Auth::Person {
        return Ok(None);
    }
    let token = access_token(headers).ok_or_else(Problem::no_token)?;
    let is_shown = headers.contains_key(http::header::AUTHORIZATION);
    let origin = state.public_url.origin();
    let changes = !endpoint.method.is_safe();
    if !is_shown && changes && source(headers, origin) != Source::Own {
        let detail = "a cookie alone changes nothing: `Sec-Fetch-Site` or `Origin` must show the gateway's own pages";
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "FOREIGN_ORIGIN",
            detail,
        ));
    }
    state.verifier.verify(token, &Requirement::new()).await?;
    Ok(Some(token.to_owned()))
}

/// `Idempotency-Key`, which becomes the `request_id` of a message that has one.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(key) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key = key.to_str().ok().filter(|key| !key.is_empty());
    let key = key.ok_or_else(|| Problem::field("Idempotency-Key", "must be printable ASCII"))?;
    // A structured field is a string in quotes; who sends it bare means the same.
    Ok(Some(key.trim_matches('"').to_owned()))
}

fn no_key() -> Problem {
    let detail = "the API key of a caller is required: `Authorization: Bearer csk_…`";
    Problem::unknown_caller(detail)
}
