//! Creating a user, whose addresses the operator answers for.

use askama::Template;
use axum::Router;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use countersign_client::proto::CreateUserRequest;

use super::facts::path_of;
use super::operator::Operator;
use super::refusals;
use super::typed::Typed;
use crate::pages::errors::Errors;
use crate::pages::form::Form;
use crate::pages::page::{Page, render};
use crate::pages::reauthenticate::confirm_first;
use crate::pages::visitor::Visitor;
use crate::pages::words::{OperatorWords, Words};
use crate::problem::Problem;
use crate::tokens::identifier;

const PATH: &str = "/users/new";

pub(super) fn routes() -> Router<crate::state::State> {
    Router::new().route(PATH, get(show).post(create))
}

#[derive(Template)]
#[template(path = "user_new.html")]
struct NewUser {
    page: Page,
    words: &'static Words,
    terms: &'static OperatorWords,
    typed: Typed,
    default_group: String,
    /// Where the operator shows who it is before it sends this again.
    confirm_path: Option<String>,
}

async fn show(visitor: Visitor) -> Response {
    let answer = match Operator::of(&visitor).await {
        Ok(operator) => match operator.confirmed(&visitor).await {
            Ok(()) => Ok(page(
                &visitor,
                &operator,
                Typed::default(),
                Errors::default(),
                false,
            )),
            Err(problem) => confirm_first(problem, PATH),
        },
        Err(problem) => Err(problem),
    };
    visitor.answer(answer)
}

fn page(
    visitor: &Visitor,
    operator: &Operator,
    typed: Typed,
    errors: Errors,
    must_confirm: bool,
) -> Response {
    let status = errors.status();
    let template = NewUser {
        page: operator.page(visitor, errors),
        words: visitor.words,
        terms: visitor.words.for_operators,
        typed,
        default_group: visitor.state.settings.group_id.clone(),
        confirm_path: must_confirm.then(|| refusals::confirm_path("/users")),
    };
    render(status, &template)
}

async fn create(visitor: Visitor, form: Result<Form<Typed>, Problem>) -> Response {
    let answer = match form {
        Ok(Form(typed)) => create_user(&visitor, typed).await,
        Err(problem) => Err(problem),
    };
    visitor.answer(answer)
}

async fn create_user(visitor: &Visitor, typed: Typed) -> Result<Response, Problem> {
    let operator = Operator::of(visitor).await?;
    let answer = match operator.confirmed(visitor).await {
        Ok(()) => send(visitor, &operator, &typed).await,
        Err(problem) => Err(problem),
    };
    match answer {
        Ok(user_id) => {
            let path = format!("{}?done=created", path_of(&user_id));
            Ok(Redirect::to(&path).into_response())
        }
        Err(problem) if problem.is_for_page() => {
            let must_confirm = refusals::asks_to_confirm(&problem);
            let errors = refusals::errors(&problem, visitor.words);
            Ok(page(visitor, &operator, typed, errors, must_confirm))
        }
        Err(problem) => Err(problem),
    }
}

async fn send(visitor: &Visitor, operator: &Operator, typed: &Typed) -> Result<String, Problem> {
    let lines = typed
        .identifiers
        .lines()
        .filter(|line| !line.trim().is_empty());
    let message = CreateUserRequest {
        group_id: match typed.group.trim() {
            "" => visitor.state.settings.group_id.clone(),
            group => group.to_owned(),
        },
        identifiers: lines.map(identifier).collect(),
        password: typed.password.clone(),
        external_id: typed.external_id.trim().to_owned(),
        profile: Some(typed.profile()),
        roles: typed.roles(),
        scopes: typed.scopes(),
    };
    let request = operator.request(visitor, message);
    let answer = operator.client().users().create_user(request).await?;
    let user = answer.into_inner().user;
    let user = user.ok_or_else(|| Problem::incomplete("user"))?;
    Ok(user.user_id)
}
