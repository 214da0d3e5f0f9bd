//! The list of users: found while one types, filtered, page by page.

use askama::Template;
use axum::Router;
use axum::extract::Query;
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;

use super::facts::Facts;
use super::operator::Operator;
use super::refusals;
use super::search::{Asked, Found};
use crate::pages::errors::Errors;
use crate::pages::page::{Page, render};
use crate::pages::visitor::Visitor;
use crate::pages::words::{OperatorWords, Words};
use crate::problem::Problem;

pub(super) fn routes() -> Router<crate::state::State> {
    Router::new().route("/users", get(show))
}

#[derive(Template)]
#[template(path = "users.html")]
struct Users {
    page: Page,
    words: &'static Words,
    terms: &'static OperatorWords,
    asked: Asked,
    /// The states to choose from: value, text, whether it is chosen.
    states: Vec<(&'static str, &'static str, bool)>,
    oldest_first: bool,
    more_filters: bool,
    /// Filters that a search passes over.
    passed_over: bool,
    users: Vec<Facts>,
    first_path: Option<String>,
    next_path: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Done {
    done: String,
}

async fn show(visitor: Visitor, Query(done): Query<Done>, Query(asked): Query<Asked>) -> Response {
    let answer = list(&visitor, asked, &done.done).await;
    visitor.answer(answer)
}

async fn list(visitor: &Visitor, asked: Asked, done: &str) -> Result<Response, Problem> {
    let operator = Operator::of(visitor).await?;
    let terms = visitor.words.for_operators;
    let (found, errors) = match asked.find(&operator, visitor).await {
        Ok(found) => (found, Errors::default()),
        Err(problem) if problem.is_for_page() => {
            (Found::default(), refusals::errors(&problem, visitor.words))
        }
        Err(problem) => return Err(problem),
    };
    let states = [
        ("", terms.any_state),
        ("active", terms.state_active),
        ("suspended", terms.state_suspended),
        ("pending", terms.state_pending),
        ("withdrawn", terms.state_withdrawn),
        ("erased", terms.state_erased),
    ];
    let states = states.map(|(value, text)| (value, text, value == asked.state));
    let has_more = [&asked.group, &asked.role, &asked.order];
    let orders_or_role = !asked.role.trim().is_empty() || asked.order == "oldest";
    let path_to = |page: &str| asked.path(page);
    let template = Users {
        page: Page {
            notice: (done == "deleted").then_some(terms.done_deleted),
            ..operator.page(visitor, errors)
        },
        words: visitor.words,
        terms,
        states: states.to_vec(),
        oldest_first: asked.order == "oldest",
        more_filters: has_more.iter().any(|filter| !filter.is_empty()),
        passed_over: asked.by_identifier() && orders_or_role,
        first_path: (!asked.page.is_empty()).then(|| path_to("")),
        next_path: (!found.next_page.is_empty()).then(|| path_to(&found.next_page)),
        users: found.users.iter().map(|u| Facts::new(u, terms)).collect(),
        asked,
    };
    Ok(render(template.page.errors.status(), &template))
}
