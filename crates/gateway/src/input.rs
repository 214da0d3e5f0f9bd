//! What comes in a body: JSON, or a form as HTML and OAuth send it. What cannot be read is a problem that names why.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::{Form, RequestExt as _};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// A body in JSON.
#[derive(Debug)]
pub(crate) struct JsonBody<T>(pub(crate) T);

/// A body of `application/x-www-form-urlencoded`.
#[derive(Debug)]
pub(crate) struct FormBody<T>(pub(crate) T);

/// A body in either.
#[derive(Debug)]
pub(crate) enum Either<J, F> {
    Json(J),
    Form(F),
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let body = json_text(request).await?;
        // serde takes an array for an object, too.
        if body.trim_ascii_start().first() != Some(&b'{') {
            return Err(Problem::malformed("the body must be a JSON object"));
        }
        let read = serde_json::from_slice(&body);
        read.map(Self)
            .map_err(|error| Problem::malformed(error.to_string()))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for FormBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let read = Form::from_request(request, state).await;
        read.map(|Form(body)| Self(body))
            .map_err(|rejection| unreadable(rejection.status(), rejection.body_text()))
    }
}

impl<S, J, F> FromRequest<S> for Either<J, F>
where
    S: Send + Sync,
    J: DeserializeOwned + 'static,
    F: DeserializeOwned + 'static,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if is(&request, "application/x-www-form-urlencoded") {
            let FormBody(body) = FormBody::from_request(request, state).await?;
            return Ok(Self::Form(body));
        }
        let JsonBody(body) = JsonBody::from_request(request, state).await?;
        Ok(Self::Json(body))
    }
}

/// A body as it came, if it says that it is JSON; none is one, too.
pub(crate) async fn json_text(request: Request) -> Result<Bytes, Problem> {
    let is_json = is(&request, "application/json");
    let body = request.extract::<Bytes, _>().await;
    let body = body.map_err(|rejection| unreadable(rejection.status(), rejection.body_text()))?;
    if body.is_empty() || is_json {
        return Ok(body);
    }
    Err(unreadable(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "the content type must be application/json".to_owned(),
    ))
}

fn is(request: &Request, media_type: &str) -> bool {
    let value = request.headers().get(CONTENT_TYPE);
    let value = value.and_then(|value| value.to_str().ok());
    value
        .and_then(|value| value.split(';').next())
        .is_some_and(|value| value.trim().eq_ignore_ascii_case(media_type))
}

fn unreadable(status: StatusCode, detail: String) -> Problem {
    // What has the wrong form is the client's one mistake, whether it is the syntax or a field.
    let status = match status {
        StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
        status => status,
    };
    Problem::new(status, "FIELD_INVALID", detail)
}
