//! Undoing changes of addresses, by the link of a notice.

use askama::Template;
use axum::Router;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use countersign_client::proto::UndoIdentifierChangeRequest;
use http::StatusCode;

use super::confirm::{self, LinkForm};
use super::errors::Errors;
use super::form::Form;
use super::page::{Page, render};
use super::visitor::Visitor;
use super::words::Words;
use crate::cookies;
use crate::problem::Problem;

pub(super) fn routes() -> Router<crate::state::State> {
    Router::new()
        .route("/addresses/undo", get(show).post(undo))
        .route("/addresses/undone", get(undone))
}

async fn show(visitor: Visitor) -> Response {
    let page = page(&visitor, Errors::default());
    visitor.answer(Ok(page))
}

fn page(visitor: &Visitor, errors: Errors) -> Response {
    confirm::page(visitor, "/addresses/undo", true, errors)
}

async fn undo(visitor: Visitor, form: Result<Form<LinkForm>, Problem>) -> Response {
    let answer = match form {
        Ok(Form(form)) => undo_changes(&visitor, &form).await,
        Err(problem) => Err(problem),
    };
    visitor.answer(answer)
}

async fn undo_changes(visitor: &Visitor, form: &LinkForm) -> Result<Response, Problem> {
    let message = UndoIdentifierChangeRequest {
        group_id: visitor.state.settings.group_id.clone(),
        undo_token: form.token().to_owned(),
    };
    let mut users = visitor.state.client.users();
    let answer = users
        .undo_identifier_change(visitor.context.request(message))
        .await;
    match answer.map_err(Problem::from) {
        Ok(_) => {
            // All sessions have ended.
            let mut response = Redirect::to("/addresses/undone").into_response();
            cookies::clear(response.headers_mut());
            Ok(response)
        }
        Err(problem) if problem.is_for_page() => Ok(page(visitor, visitor.errors(&problem))),
        Err(problem) => Err(problem),
    }
}

#[derive(Template)]
#[template(path = "notice.html")]
struct Undone {
    page: Page,
    words: &'static Words,
    title: &'static str,
    text: &'static str,
    path: &'static str,
    link: &'static str,
}

async fn undone(visitor: Visitor) -> Response {
    let template = Undone {
        page: visitor.page(Errors::default()),
        words: visitor.words,
        title: visitor.words.undone,
        text: visitor.words.undone_lead,
        path: "/password/forgotten",
        link: visitor.words.choose_new_password,
    };
    visitor.answer(Ok(render(StatusCode::OK, &template)))
}
