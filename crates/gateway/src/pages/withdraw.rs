//! Leaving: closing the account.

use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;
use countersign_client::proto::WithdrawProfileRequest;
use http::StatusCode;
use serde::Deserialize;

use super::errors::Errors;
use super::form::Form;
use super::member::Member;
use super::page::{Page, render};
use super::reauthenticate::confirm_first;
use super::times::Moment;
use super::visitor::Visitor;
use super::words::Words;
use crate::cookies;
use crate::problem::Problem;

const PATH: &str = "/profile/withdraw";

pub(super) fn routes() -> Router<crate::state::State> {
    Router::new().route(PATH, get(show).post(leave))
}

#[derive(Template)]
#[template(path = "withdraw.html")]
struct Withdraw {
    page: Page,
    words: &'static Words,
}

#[derive(Template)]
#[template(path = "withdrawn.html")]
struct Withdrawn {
    page: Page,
    words: &'static Words,
    rejoin_at: Moment,
}

async fn show(visitor: Visitor) -> Response {
    let member = Member::of(&visitor).await;
    visitor.answer(member.map(|member| page(&visitor, &member, Errors::default())))
}

fn page(visitor: &Visitor, member: &Member, errors: Errors) -> Response {
    let status = errors.status();
    let template = Withdraw {
        page: visitor.account_page(member.name(), errors),
        words: visitor.words,
    };
    render(status, &template)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct LeaveForm {
    understood: bool,
}

async fn leave(visitor: Visitor, form: Result<Form<LeaveForm>, Problem>) -> Response {
    let answer = match form {
        Ok(Form(form)) => withdraw(&visitor, &form).await,
        Err(problem) => Err(problem),
    };
    visitor.answer(answer)
}

async fn withdraw(visitor: &Visitor, form: &LeaveForm) -> Result<Response, Problem> {
    let member = Member::of(visitor).await?;
    if !form.understood {
        let errors = Errors::field("understood", visitor.words.understood_missing);
        return Ok(page(visitor, &member, errors));
    }
    let message = WithdrawProfileRequest {
        access_token: member.access_token.clone(),
    };
    let mut users = visitor.state.client.users();
    let answer = users
        .withdraw_profile(visitor.context.request(message))
        .await;
    let rejoin_time = match answer {
        Ok(answer) => answer.into_inner().rejoin_time,
        Err(status) => return confirm_first(status.into(), PATH),
    };
    let template = Withdrawn {
        page: visitor.page(Errors::default()),
        words: visitor.words,
        rejoin_at: Moment::new(rejoin_time),
    };
    let mut response = render(StatusCode::OK, &template);
    cookies::clear(response.headers_mut());
    Ok(response)
}
