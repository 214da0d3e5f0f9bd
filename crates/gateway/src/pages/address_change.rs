//! The code that proves a new address, by which it is added or takes the place of another one.

use axum::Router;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use countersign_client::proto::{AddIdentifierRequest, ChangeIdentifierRequest};
use serde::Deserialize;

use super::addresses::{self, Typed};
use super::errors::Errors;
use super::form::Form;
use super::member::Member;
use super::new_address::Change;
use super::page_query::Query;
use super::sign_in_code::proof;
use super::sign_up::verification;
use super::verify::{self, Sent};
use super::visitor::Visitor;
use crate::problem::Problem;
use crate::tokens::identifier;

pub(super) fn routes() -> Router<crate::state::State> {
    Router::new()
        .route("/profile/addresses/verify", get(ask).post(check))
        .route(
            "/profile/addresses/resend",
            get(addresses::back_to_list).post(resend),
        )
}

fn typed(change: Change) -> Typed {
    Typed {
        identifier: change.identifier,
        replaces: change.replaces,
    }
}

async fn ask(visitor: Visitor, Query(change): Query<Change>) -> Response {
    if change.verification_id.is_empty() {
        // By a link to the other language, after a wrong code.
        return addresses::back_to_list(visitor).await;
    }
    let answer = code_page(&visitor, change, Errors::default()).await;
    visitor.answer(answer)
}

async fn code_page(visitor: &Visitor, change: Change, errors: Errors) -> Result<Response, Problem> {
    let verification = verification(visitor, &change.verification_id).await?;
    let sent = Sent {
        action: "/profile/addresses/verify",
        resend_action: "/profile/addresses/resend",
        back_path: "/profile/addresses",
        verification_id: change.verification_id,
        return_to: String::new(),
        address: change.identifier,
        uncertain: false,
        expire_time: verification.expire_time,
        resend_time: None,
    };
    Ok(verify::page_to_replace(
        visitor,
        sent,
        change.replaces,
        errors,
    ))
}

async fn resend(visitor: Visitor, form: Result<Form<Change>, Problem>) -> Response {
    let answer = match form {
        Ok(Form(change)) => send_again(&visitor, change).await,
        Err(problem) => Err(problem),
    };
    visitor.answer(answer)
}

async fn send_again(visitor: &Visitor, change: Change) -> Result<Response, Problem> {
    let member = Member::of(visitor).await?;
    let as_typed = typed(change.clone());
    match addresses::send_code(visitor, &member, &as_typed).await {
        Ok(change) => Ok(Redirect::to(&change.path()).into_response()),
        // The code that was sent before is still good.
        Err(problem) if problem.reason == "TOO_MANY_MESSAGES" => {
            code_page(visitor, change, visitor.errors(&problem)).await
        }
        Err(problem) => addresses::refused(visitor, &member, as_typed, problem).await,
    }
}

#[derive(Deserialize)]
struct CheckForm {
    #[serde(flatten)]
    change: Change,
    #[serde(default)]
    code: String,
}

async fn check(visitor: Visitor, form: Result<Form<CheckForm>, Problem>) -> Response {
    let answer = match form {
        Ok(Form(form)) => check_code(&visitor, form).await,
        Err(problem) => Err(problem),
    };
    visitor.answer(answer)
}

async fn check_code(visitor: &Visitor, form: CheckForm) -> Result<Response, Problem> {
    let member = Member::of(visitor).await?;
    let change = form.change;
    let answer = match proof(visitor, &change.verification_id, &form.code).await {
        Ok(proof) => apply(visitor, &member, &change.replaces, proof).await,
        Err(problem) if matches!(problem.reason, "CODE_WRONG" | "FIELD_INVALID") => {
            return code_page(visitor, change, visitor.errors(&problem)).await;
        }
        Err(problem) => Err(problem),
    };
    match answer {
        Err(problem) => addresses::refused(visitor, &member, typed(change), problem).await,
        answer => answer,
    }
}

/// Spends the proof.
async fn apply(
    visitor: &Visitor,
    member: &Member,
    replaces: &str,
    proof: String,
) -> Result<Response, Problem> {
    let mut users = visitor.state.client.users();
    let access_token = member.access_token.clone();
    if replaces.is_empty() {
        let message = AddIdentifierRequest {
            access_token,
            proof,
        };
        users
            .add_identifier(visitor.context.request(message))
            .await?;
        return Ok(Redirect::to("/profile/addresses?done=added").into_response());
    }
    let message = ChangeIdentifierRequest {
        access_token,
        identifier: Some(identifier(replaces)),
        proof,
    };
    users
        .change_identifier(visitor.context.request(message))
        .await?;
    Ok(Redirect::to("/profile/addresses?done=changed").into_response())
}
