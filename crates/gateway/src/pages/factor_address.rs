//! Setting up an address to which codes are sent at a sign-in.

use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;
use countersign_client::proto::FactorKind;
use countersign_client::proto::identifier::Value as Kind;
use serde::Deserialize;

use super::enrollment::{self, Shown};
use super::errors::Errors;
use super::factors;
use super::form::Form;
use super::member::Member;
use super::page::{Page, render};
use super::visitor::Visitor;
use super::words::Words;
use crate::problem::Problem;
use crate::tokens::identifier;

pub(super) fn routes() -> Router<crate::state::State> {
    Router::new().route(
        "/profile/factors/address",
        get(factors::back_to_list).post(set_up),
    )
}

#[derive(Template)]
#[template(path = "factor_address.html")]
struct AddressPage {
    page: Page,
    words: &'static Words,
    enrollment_id: String,
    address: String,
    by_phone: bool,
}

#[derive(Debug, Deserialize)]
struct AddressForm {
    address: String,
    #[serde(default)]
    enrollment_id: String,
    /// None before a code was sent.
    code: Option<String>,
}

async fn set_up(visitor: Visitor, form: Result<Form<AddressForm>, Problem>) -> Response {
    let answer = match form {
        Ok(Form(form)) => step(&visitor, form).await,
        Err(problem) => Err(problem),
    };
    visitor.answer(answer)
}

async fn step(visitor: &Visitor, form: AddressForm) -> Result<Response, Problem> {
    let member = Member::of(visitor).await?;
    let address = identifier(&form.address);
    let by_phone = matches!(address.value, Some(Kind::Phone(_)));
    let page = |enrollment_id: String, errors: Errors| {
        let status = errors.status();
        let template = AddressPage {
            page: visitor.account_page(member.name(), errors),
            words: visitor.words,
            enrollment_id,
            address: form.address.clone(),
            by_phone,
        };
        render(status, &template)
    };
    let Some(code) = form.code else {
        let kind = match by_phone {
            true => FactorKind::Sms,
            false => FactorKind::Email,
        };
        let begun = enrollment::begin(visitor, &member, kind, String::new(), Some(address));
        return match begun.await {
            Ok(begun) => Ok(page(begun.enrollment_id, Errors::default())),
            Err(problem) => factors::refused(visitor, &member, problem).await,
        };
    };
    let shown = Shown::Code(code);
    match enrollment::confirm(visitor, &member, form.enrollment_id.clone(), shown).await {
        Err(problem) if enrollment::can_try_again(&problem) => {
            Ok(page(form.enrollment_id, visitor.errors(&problem)))
        }
        Err(problem) => factors::refused(visitor, &member, problem).await,
        answer => answer,
    }
}
