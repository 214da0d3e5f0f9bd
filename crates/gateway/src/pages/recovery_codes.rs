//! Recovery codes, which are shown once: with the first factor, and when the person asks for new ones.

use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;
use countersign_client::proto::RegenerateRecoveryCodesRequest;
use http::StatusCode;
use serde::Deserialize;

use super::errors::Errors;
use super::factors;
use super::form::Form;
use super::member::Member;
use super::page::{Page, render};
use super::visitor::Visitor;
use super::words::Words;
use crate::problem::Problem;

pub(super) fn routes() -> Router<crate::state::State> {
    Router::new().route(
        "/profile/factors/recovery-codes",
        get(factors::back_to_list).post(renew),
    )
}

#[derive(Template)]
#[template(path = "recovery_codes.html")]
struct RecoveryCodes {
    page: Page,
    words: &'static Words,
    codes: Vec<String>,
}

/// The page with the codes.
pub(super) fn page(visitor: &Visitor, member: &Member, codes: Vec<String>) -> Response {
    let template = RecoveryCodes {
        page: visitor.account_page(member.name(), Errors::default()),
        words: visitor.words,
        codes,
    };
    render(StatusCode::OK, &template)
}

#[derive(Deserialize)]
struct RenewForm {}

async fn renew(visitor: Visitor, form: Result<Form<RenewForm>, Problem>) -> Response {
    let answer = match form {
        Ok(_) => regenerate(&visitor).await,
        Err(problem) => Err(problem),
    };
    visitor.answer(answer)
}

async fn regenerate(visitor: &Visitor) -> Result<Response, Problem> {
    let member = Member::of(visitor).await?;
    let message = RegenerateRecoveryCodesRequest {
        access_token: member.access_token.clone(),
    };
    let mut factors = visitor.state.client.factors();
    let request = visitor.context.request(message);
    match factors.regenerate_recovery_codes(request).await {
        Ok(answer) => Ok(page(visitor, &member, answer.into_inner().recovery_codes)),
        Err(status) => factors::refused(visitor, &member, status.into()).await,
    }
}
