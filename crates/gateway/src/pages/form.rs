//! Forms that the gateway's own pages send.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::cookies;
use crate::origin::Source;
use crate::problem::Problem;
use crate::state::State;

/// A form of the gateway's own pages. Fields that are not known are passed over.
#[derive(Debug)]
pub(super) struct Form<T>(pub(super) T);

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    csrf_token: String,
}

impl<T: DeserializeOwned> FromRequest<State> for Form<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &State) -> Result<Self, Problem> {
        // The layer above has put it there, and refused what another site sends.
        let source = request.extensions().get::<Source>().copied();
        let cookie = cookies::read(request.headers(), cookies::CSRF).map(str::to_owned);
        let body = Bytes::from_request(request, state).await;
        let body =
            body.map_err(|error| Problem::new(error.status(), "FIELD_INVALID", error.body_text()))?;
        if source != Some(Source::Own) {
            let repeated: Token = read(&body)?;
            if cookie.is_none_or(|cookie| cookie != repeated.csrf_token) {
                let detail = "the form was not sent by this page: load it again";
                return Err(Problem::new(
                    StatusCode::FORBIDDEN,
                    "FOREIGN_ORIGIN",
                    detail,
                ));
            }
        }
        Ok(Self(read(&body)?))
    }
}

fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Problem> {
    serde_urlencoded::from_bytes(body).map_err(|error| Problem::malformed(error.to_string()))
}
