//! Changing the password.

use askama::Template;
use axum::Router;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use countersign_client::proto::ChangePasswordRequest;
use http::StatusCode;
use serde::Deserialize;

use super::errors::Errors;
use super::form::Form;
use super::member::Member;
use super::page::{Page, render};
use super::sign_up::PASSWORD_MIN_LENGTH;
use super::visitor::Visitor;
use super::words::Words;
use crate::problem::Problem;

pub(super) fn routes() -> Router<crate::state::State> {
    Router::new().route("/profile/password", get(show).post(change))
}

#[derive(Template)]
#[template(path = "password.html")]
struct Password {
    page: Page,
    words: &'static Words,
    identifier: String,
    password_min_length: u32,
    has_password: bool,
}

async fn show(visitor: Visitor) -> Response {
    let member = Member::of(&visitor).await;
    visitor.answer(member.map(|member| page(&visitor, &member, Errors::default())))
}

fn page(visitor: &Visitor, member: &Member, errors: Errors) -> Response {
    let status = errors.status();
    let template = Password {
        page: visitor.account_page(member.name(), errors),
        words: visitor.words,
        identifier: String::new(),
        password_min_length: PASSWORD_MIN_LENGTH,
        has_password: true,
    };
    render(status, &template)
}

#[derive(Deserialize)]
struct ChangeForm {
    current_password: String,
    password: String,
}

async fn change(visitor: Visitor, form: Result<Form<ChangeForm>, Problem>) -> Response {
    let answer = match form {
        Ok(Form(form)) => change_password(&visitor, form).await,
        Err(problem) => Err(problem),
    };
    visitor.answer(answer)
}

async fn change_password(visitor: &Visitor, form: ChangeForm) -> Result<Response, Problem> {
    let member = Member::of(visitor).await?;
    let message = ChangePasswordRequest {
        access_token: member.access_token.clone(),
        current_password: form.current_password,
        new_password: form.password,
        client_context: visitor.context.client(),
    };
    let mut auth = visitor.state.client.auth();
    match auth.change_password(visitor.context.request(message)).await {
        Ok(_) => Ok(Redirect::to("/profile?done=password").into_response()),
        Err(status) => {
            let problem = Problem::from(status);
            if problem.status.is_server_error() || problem.status == StatusCode::UNAUTHORIZED {
                return Err(problem);
            }
            Ok(page(visitor, &member, visitor.errors(&problem)))
        }
    }
}
