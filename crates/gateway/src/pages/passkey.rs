//! Signing in with a passkey alone.

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use countersign_client::proto::PasskeyGrant;
use countersign_client::proto::issue_tokens_request::Grant;
use serde::Deserialize;

use super::errors::Errors;
use super::form::Form;
use super::sign_in::{back_to_sign_in, issue, login, signed_in};
use super::visitor::Visitor;
use crate::problem::Problem;

pub(super) fn routes() -> Router<crate::state::State> {
    Router::new().route("/login/passkey", get(back_to_sign_in).post(sign_in))
}

#[derive(Deserialize)]
struct PasskeyForm {
    credential: String,
    #[serde(default)]
    return_to: String,
}

async fn sign_in(visitor: Visitor, form: Result<Form<PasskeyForm>, Problem>) -> Response {
    let answer = match form {
        Ok(Form(form)) => exchange(&visitor, form).await,
        Err(problem) => Err(problem),
    };
    visitor.answer(answer)
}

async fn exchange(visitor: &Visitor, form: PasskeyForm) -> Result<Response, Problem> {
    let grant = Grant::Passkey(PasskeyGrant {
        credential: form.credential,
    });
    let answer = issue(visitor, grant).await;
    let answer = answer.and_then(|answer| signed_in(visitor, answer, &form.return_to));
    match answer {
        Err(problem) if problem.status.is_client_error() => {
            let errors = Errors::message(problem.detail);
            Ok(login(visitor, String::new(), &form.return_to, errors).await)
        }
        answer => answer,
    }
}
