//! A forgotten password: a code to the address, and a new password.

use askama::Template;
use axum::Router;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use countersign_client::proto::{ResetPasswordRequest, StartPasswordResetRequest};
use serde::Deserialize;

use super::errors::Errors;
use super::form::Form;
use super::page::{Page, render};
use super::sign_in_code::proof;
use super::sign_up::PASSWORD_MIN_LENGTH;
use super::verify::{self, Sent};
use super::visitor::Visitor;
use super::words::Words;
use crate::problem::Problem;
use crate::tokens::identifier;

pub(super) fn routes() -> Router<crate::state::State> {
    Router::new()
        .route("/password/forgotten", get(show).post(start))
        .route("/password/resend", get(show).post(start))
        .route("/password/code", get(show).post(check))
        .route("/password/new", get(show).post(set))
}

#[derive(Template)]
#[template(path = "password_forgotten.html")]
struct Forgotten {
    page: Page,
    words: &'static Words,
    identifier: String,
}

#[derive(Template)]
#[template(path = "password_new.html")]
struct NewPassword {
    page: Page,
    words: &'static Words,
    proof: String,
    password_min_length: u32,
}

async fn show(visitor: Visitor) -> Response {
    let page = forgotten(&visitor, String::new(), Errors::default());
    visitor.answer(Ok(page))
}

fn forgotten(visitor: &Visitor, identifier: String, errors: Errors) -> Response {
    let status = errors.status();
    let template = Forgotten {
        page: visitor.page(errors),
        words: visitor.words,
        identifier,
    };
    render(status, &template)
}

#[derive(Deserialize)]
struct StartForm {
    identifier: String,
}

async fn start(visitor: Visitor, form: Result<Form<StartForm>, Problem>) -> Response {
    let Form(form) = match form {
        Ok(form) => form,
        Err(problem) => return visitor.answer(Err(problem)),
    };
    let message = StartPasswordResetRequest {
        group_id: visitor.state.settings.group_id.clone(),
        identifier: Some(identifier(&form.identifier)),
        client_context: visitor.context.client(),
        device_token: visitor.device_token.clone(),
        ..StartPasswordResetRequest::default()
    };
    let mut auth = visitor.state.client.auth();
    let answer = auth
        .start_password_reset(visitor.context.request(message))
        .await;
    let answer = match answer.map_err(Problem::from) {
        Ok(answer) => {
            let answer = answer.into_inner();
            let sent = Sent {
                verification_id: answer.verification_id,
                expire_time: answer.expire_time,
                ..sent(form.identifier)
            };
            Ok(verify::page(&visitor, sent, Errors::default()))
        }
        Err(problem) if problem.status.is_client_error() => Ok(forgotten(
            &visitor,
            form.identifier,
            visitor.errors(&problem),
        )),
        Err(problem) => Err(problem),
    };
    visitor.answer(answer)
}

fn sent(address: String) -> Sent {
    Sent {
        action: "/password/code",
        resend_action: "/password/resend",
        back_path: "/password/forgotten",
        verification_id: String::new(),
        return_to: String::new(),
        address,
        uncertain: true,
        expire_time: None,
        resend_time: None,
    }
}

#[derive(Deserialize)]
struct CodeForm {
    verification_id: String,
    #[serde(default)]
    identifier: String,
    code: String,
}

async fn check(visitor: Visitor, form: Result<Form<CodeForm>, Problem>) -> Response {
    let Form(form) = match form {
        Ok(form) => form,
        Err(problem) => return visitor.answer(Err(problem)),
    };
    let answer = match proof(&visitor, &form.verification_id, &form.code).await {
        Ok(proof) => Ok(new_password(&visitor, proof, Errors::default())),
        Err(problem) if matches!(problem.reason, "CODE_WRONG" | "FIELD_INVALID") => {
            let sent = Sent {
                verification_id: form.verification_id,
                ..sent(form.identifier)
            };
            Ok(verify::page(&visitor, sent, visitor.errors(&problem)))
        }
        Err(problem) if problem.status.is_client_error() => Ok(forgotten(
            &visitor,
            form.identifier,
            visitor.errors(&problem),
        )),
        Err(problem) => Err(problem),
    };
    visitor.answer(answer)
}

/// The page on which the new password is set, by the proof.
pub(super) fn new_password(visitor: &Visitor, proof: String, errors: Errors) -> Response {
    let status = errors.status();
    let template = NewPassword {
        page: visitor.page(errors),
        words: visitor.words,
        proof,
        password_min_length: PASSWORD_MIN_LENGTH,
    };
    render(status, &template)
}

#[derive(Deserialize)]
struct NewForm {
    proof: String,
    password: String,
}

async fn set(visitor: Visitor, form: Result<Form<NewForm>, Problem>) -> Response {
    let Form(form) = match form {
        Ok(form) => form,
        Err(problem) => return visitor.answer(Err(problem)),
    };
    let message = ResetPasswordRequest {
        proof: form.proof.clone(),
        new_password: form.password,
    };
    let mut auth = visitor.state.client.auth();
    let answer = auth.reset_password(visitor.context.request(message)).await;
    let answer = match answer.map_err(Problem::from) {
        Ok(_) => Ok(Redirect::to("/login").into_response()),
        Err(problem) if problem.reason == "FIELD_INVALID" => {
            Ok(new_password(&visitor, form.proof, visitor.errors(&problem)))
        }
        Err(problem) if problem.status.is_client_error() => {
            Ok(forgotten(&visitor, String::new(), visitor.errors(&problem)))
        }
        Err(problem) => Err(problem),
    };
    visitor.answer(answer)
}
