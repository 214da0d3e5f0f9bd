//! Changing what a user is called, is and may. What somebody else has changed meanwhile is shown, and not overwritten.

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use countersign_client::proto::{UpdateUserRequest, User};
use prost_types::FieldMask;

use super::facts::{Facts, path_of};
use super::operator::Operator;
use super::refusals;
use super::typed::{Difference, Typed, version};
use crate::pages::errors::Errors;
use crate::pages::form::Form;
use crate::pages::page::{Page, render};
use crate::pages::reauthenticate::confirm_first;
use crate::pages::visitor::Visitor;
use crate::pages::words::{OperatorWords, Words};
use crate::problem::Problem;

/// What the form writes. Attributes are not on it, and stay as they are.
const FIELDS: [&str; 6] = [
    "profile.name",
    "profile.locale",
    "profile.time_zone",
    "external_id",
    "roles",
    "scopes",
];

pub(super) fn routes() -> Router<crate::state::State> {
    Router::new().route("/users/{user_id}/edit", get(show).post(update))
}

#[derive(Template)]
#[template(path = "user_edit.html")]
struct EditUser {
    page: Page,
    words: &'static Words,
    terms: &'static OperatorWords,
    user: Facts,
    typed: Typed,
    differences: Vec<Difference>,
    confirm_path: Option<String>,
}

async fn show(visitor: Visitor, Path(user_id): Path<String>) -> Response {
    let answer = form(&visitor, &user_id).await;
    visitor.answer(answer)
}

async fn form(visitor: &Visitor, user_id: &str) -> Result<Response, Problem> {
    let operator = Operator::of(visitor).await?;
    let user = operator.user(visitor, user_id).await?;
    if let Err(problem) = operator.confirmed(visitor).await {
        return confirm_first(problem, &format!("{}/edit", path_of(&user.user_id)));
    }
    let typed = Typed::of(&user);
    Ok(page(visitor, &operator, &user, typed, Refused::default()))
}

/// Why a form is shown again.
#[derive(Default)]
struct Refused {
    errors: Errors,
    differences: Vec<Difference>,
    must_confirm: bool,
}

fn page(
    visitor: &Visitor,
    operator: &Operator,
    user: &User,
    typed: Typed,
    refused: Refused,
) -> Response {
    let terms = visitor.words.for_operators;
    let status = refused.errors.status();
    let template = EditUser {
        page: operator.page(visitor, refused.errors),
        words: visitor.words,
        terms,
        user: Facts::new(user, terms),
        typed,
        differences: refused.differences,
        confirm_path: refused
            .must_confirm
            .then(|| refusals::confirm_path(&path_of(&user.user_id))),
    };
    render(status, &template)
}

async fn update(
    visitor: Visitor,
    Path(user_id): Path<String>,
    form: Result<Form<Typed>, Problem>,
) -> Response {
    let answer = match form {
        Ok(Form(typed)) => save(&visitor, &user_id, typed).await,
        Err(problem) => Err(problem),
    };
    visitor.answer(answer)
}

async fn save(visitor: &Visitor, user_id: &str, mut typed: Typed) -> Result<Response, Problem> {
    let operator = Operator::of(visitor).await?;
    let user = operator.user(visitor, user_id).await?;
    let role = operator.role().to_owned();
    if operator.is_self(&user) && !typed.roles().contains(&role) {
        let errors = Errors::field("roles", visitor.words.for_operators.own_role);
        let refused = Refused {
            errors,
            ..Refused::default()
        };
        return Ok(page(visitor, &operator, &user, typed, refused));
    }
    let answer = match operator.confirmed(visitor).await {
        Ok(()) => send(visitor, &operator, &user, &typed).await,
        Err(problem) => Err(problem),
    };
    let problem = match answer {
        Ok(()) => {
            let path = format!("{}?done=saved", path_of(&user.user_id));
            return Ok(Redirect::to(&path).into_response());
        }
        Err(problem) if problem.is_for_page() => problem,
        Err(problem) => return Err(problem),
    };
    let mut refused = Refused {
        errors: refusals::errors(&problem, visitor.words),
        must_confirm: refusals::asks_to_confirm(&problem),
        differences: vec![],
    };
    let mut user = user;
    if problem.reason == "ETAG_MISMATCH" {
        // What was typed stays; sent again, it goes over what is shown beside it, and over nothing else.
        user = operator.user(visitor, user_id).await?;
        refused.differences = typed.merge(&user, visitor.words);
    }
    Ok(page(visitor, &operator, &user, typed, refused))
}

async fn send(
    visitor: &Visitor,
    operator: &Operator,
    user: &User,
    typed: &Typed,
) -> Result<(), Problem> {
    let message = UpdateUserRequest {
        user_id: user.user_id.clone(),
        update_mask: Some(FieldMask {
            paths: FIELDS.map(str::to_owned).to_vec(),
        }),
        etag: version(&typed.etag),
        external_id: typed.external_id.trim().to_owned(),
        profile: Some(typed.profile()),
        roles: typed.roles(),
        scopes: typed.scopes(),
    };
    let request = operator.request(visitor, message);
    operator.client().users().update_user(request).await?;
    Ok(())
}
