//! Messages that providers of sign-ins send by themselves: handed on as they came, and believed by the service alone.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State as Shared};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use countersign_client::proto::{
    ListProvidersRequest, ProviderKind, ReceiveProviderNotificationRequest,
};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, StatusCode};

use crate::context::Context;
use crate::problem::Problem;
use crate::state::State;

pub(crate) fn routes() -> Router<State> {
    let receive = get(receive).post(receive);
    Router::new().route("/login/with/{provider}/notifications", receive)
}

async fn receive(
    Shared(state): Shared<State>,
    context: Context,
    Path(provider): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    let is_event = text(&headers, CONTENT_TYPE).to_ascii_lowercase();
    let is_event = is_event.starts_with("application/secevent+jwt");
    match hand_on(&state, &context, provider, &headers, query, body).await {
        // RFC 8935, section 2.2.
        Ok(_) if is_event => StatusCode::ACCEPTED.into_response(),
        Ok(ProviderKind::Naver) => StatusCode::NO_CONTENT.into_response(),
        Ok(_) => StatusCode::OK.into_response(),
        Err(problem) if is_event && problem.reason == "PROVIDER_NOTIFICATION_REFUSED" => {
            let error = r#"{"err":"invalid_request","description":"the token is not good"}"#;
            let json = [(CONTENT_TYPE, "application/json")];
            (StatusCode::BAD_REQUEST, json, error).into_response()
        }
        Err(problem) => problem.into_response(),
    }
}

async fn hand_on(
    state: &State,
    context: &Context,
    provider: String,
    headers: &HeaderMap,
    query: Option<String>,
    body: Bytes,
) -> Result<ProviderKind, Problem> {
    let message = ListProvidersRequest {
        group_id: state.settings.group_id.clone(),
    };
    let mut federation = state.client.federation();
    let listed = federation.list_providers(context.request(message)).await?;
    let mut listed = listed.into_inner().providers.into_iter();
    let kind = listed.find(|known| known.provider == provider);
    let message = ReceiveProviderNotificationRequest {
        provider,
        content_type: text(headers, CONTENT_TYPE).to_owned(),
        authorization: text(headers, AUTHORIZATION).to_owned(),
        query: query.unwrap_or_default(),
        body: body.into(),
    };
    federation
        .receive_provider_notification(context.request(message))
        .await?;
    Ok(kind.map_or(ProviderKind::Unspecified, |known| known.kind()))
}

fn text(headers: &HeaderMap, name: HeaderName) -> &str {
    let value = headers.get(name);
    value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}
