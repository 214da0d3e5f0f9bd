//! Signing in with a code that is sent to an address, without a password.

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use countersign_client::proto::check_code_request::Verification as Named;
use countersign_client::proto::issue_tokens_request::Grant;
use countersign_client::proto::{CheckCodeRequest, Purpose, SendCodeRequest, VerifiedCodeGrant};
use serde::Deserialize;

use super::errors::Errors;
use super::form::Form;
use super::sign_in::{back_to_sign_in, issue, signed_in};
use super::verify::{self, Sent};
use super::visitor::Visitor;
use crate::problem::Problem;
use crate::tokens::identifier;

pub(super) fn routes() -> Router<crate::state::State> {
    Router::new()
        .route("/login/code", get(back_to_sign_in).post(send))
        .route("/login/code/resend", get(back_to_sign_in).post(send))
        .route("/login/code/verify", get(back_to_sign_in).post(check))
}

#[derive(Deserialize)]
struct SendForm {
    identifier: String,
    #[serde(default)]
    return_to: String,
}

async fn send(visitor: Visitor, form: Result<Form<SendForm>, Problem>) -> Response {
    let answer = match form {
        Ok(Form(form)) => send_code(&visitor, form).await,
        Err(problem) => Err(problem),
    };
    visitor.answer(answer)
}

async fn send_code(visitor: &Visitor, form: SendForm) -> Result<Response, Problem> {
    let message = SendCodeRequest {
        group_id: visitor.state.settings.group_id.clone(),
        identifier: Some(identifier(&form.identifier)),
        purpose: Purpose::SignIn.into(),
        client_context: visitor.context.client(),
        device_token: visitor.device_token.clone(),
        ..SendCodeRequest::default()
    };
    let mut verifications = visitor.state.client.verifications();
    let answer = verifications
        .send_code(visitor.context.request(message))
        .await?;
    let answer = answer.into_inner();
    let sent = Sent {
        action: "/login/code/verify",
        resend_action: "/login/code/resend",
        back_path: "/login",
        verification_id: answer.verification_id,
        return_to: form.return_to,
        address: form.identifier,
        uncertain: true,
        expire_time: answer.expire_time,
        resend_time: answer.resend_time,
    };
    Ok(verify::page(visitor, sent, Errors::default()))
}

#[derive(Deserialize)]
struct CheckForm {
    verification_id: String,
    #[serde(default)]
    identifier: String,
    code: String,
    #[serde(default)]
    return_to: String,
}

async fn check(visitor: Visitor, form: Result<Form<CheckForm>, Problem>) -> Response {
    let answer = match form {
        Ok(Form(form)) => check_code(&visitor, form).await,
        Err(problem) => Err(problem),
    };
    visitor.answer(answer)
}

async fn check_code(visitor: &Visitor, form: CheckForm) -> Result<Response, Problem> {
    match proof(visitor, &form.verification_id, &form.code).await {
        Ok(proof) => {
            let grant = Grant::VerifiedCode(VerifiedCodeGrant { proof });
            let answer = issue(visitor, grant).await?;
            signed_in(visitor, answer, &form.return_to)
        }
        Err(problem) if matches!(problem.reason, "CODE_WRONG" | "FIELD_INVALID") => {
            let sent = Sent {
                action: "/login/code/verify",
                resend_action: "/login/code/resend",
                back_path: "/login",
                verification_id: form.verification_id,
                return_to: form.return_to,
                address: form.identifier,
                uncertain: true,
                expire_time: None,
                resend_time: None,
            };
            Ok(verify::page(visitor, sent, visitor.errors(&problem)))
        }
        Err(problem) => Err(problem),
    }
}

/// The proof that a right code yields.
///
/// # Errors
/// If the code is wrong, or there is none of this id.
pub(super) async fn proof(visitor: &Visitor, id: &str, code: &str) -> Result<String, Problem> {
    let message = CheckCodeRequest {
        verification: Some(Named::VerificationId(id.to_owned())),
        code: code.trim().to_owned(),
    };
    let mut verifications = visitor.state.client.verifications();
    let answer = verifications
        .check_code(visitor.context.request(message))
        .await?;
    Ok(answer.into_inner().proof)
}
