//! Setting up a passkey, which the browser makes.

use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;
use countersign_client::proto::{BeginEnrollmentResponse, FactorKind};
use serde::Deserialize;

use super::devices;
use super::enrollment::{self, Shown};
use super::errors::Errors;
use super::factors;
use super::form::Form;
use super::member::Member;
use super::page::{Page, render};
use super::visitor::Visitor;
use super::words::Words;
use crate::problem::Problem;

/// What the service takes of a label, in characters.
const MOST_OF_LABEL: usize = 64;

pub(super) fn routes() -> Router<crate::state::State> {
    Router::new().route(
        "/profile/factors/passkey",
        get(factors::back_to_list).post(set_up),
    )
}

#[derive(Template)]
#[template(path = "factor_passkey.html")]
struct PasskeyPage {
    page: Page,
    words: &'static Words,
    enrollment_id: String,
    creation_options: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PasskeyForm {
    enrollment_id: String,
    /// Empty before the page was shown.
    credential: String,
}

async fn set_up(visitor: Visitor, form: Result<Form<PasskeyForm>, Problem>) -> Response {
    let answer = match form {
        Ok(Form(form)) => step(&visitor, form).await,
        Err(problem) => Err(problem),
    };
    visitor.answer(answer)
}

async fn step(visitor: &Visitor, form: PasskeyForm) -> Result<Response, Problem> {
    let member = Member::of(visitor).await?;
    let answer = if form.credential.is_empty() {
        let label = label(visitor);
        let begun = enrollment::begin(visitor, &member, FactorKind::Passkey, label, None).await;
        begun.map(|begun| page(visitor, &member, begun))
    } else {
        let shown = Shown::Credential(form.credential);
        enrollment::confirm(visitor, &member, form.enrollment_id, shown).await
    };
    match answer {
        Err(problem) => factors::refused(visitor, &member, problem).await,
        answer => answer,
    }
}

/// Where it is made, by which people tell several passkeys apart.
fn label(visitor: &Visitor) -> String {
    let (name, _) = devices::called(&visitor.context.client.user_agent);
    name.chars().take(MOST_OF_LABEL).collect()
}

fn page(visitor: &Visitor, member: &Member, begun: BeginEnrollmentResponse) -> Response {
    let template = PasskeyPage {
        page: visitor.account_page(member.name(), Errors::default()),
        words: visitor.words,
        enrollment_id: begun.enrollment_id,
        creation_options: begun.creation_options,
    };
    render(http::StatusCode::OK, &template)
}
