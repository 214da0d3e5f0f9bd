//! Signing up with an account at a provider: it is asked for what the provider did not give.

use askama::Template;
use axum::Router;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use countersign_client::proto::check_code_request::Verification as Named;
use countersign_client::proto::issue_tokens_request::Grant;
use countersign_client::proto::{CheckCodeRequest, Purpose, SendCodeRequest, SignUpRequest};
use http::HeaderMap;
use serde::Deserialize;

use super::errors::Errors;
use super::federated_cookie::AccountCookie;
use super::form::Form;
use super::page::{Page, render};
use super::sign_in::{issue, signed_in};
use super::verify::{self, Sent};
use super::visitor::Visitor;
use super::words::Words;
use crate::problem::Problem;
use crate::tokens::identifier;
use crate::url::query;

/// The page of this file.
const PATH: &str = "/sign-up/continue";

pub(super) fn routes() -> Router<crate::state::State> {
    Router::new()
        .route(PATH, get(show).post(sign_up))
        .route("/sign-up/continue/verify", get(back).post(check))
        .route("/sign-up/continue/resend", get(back).post(sign_up))
}

#[derive(Template)]
#[template(path = "continue.html")]
struct Continue {
    page: Page,
    words: &'static Words,
    provider: String,
    identifier: String,
    /// The address for which the provider answers.
    verified: Option<String>,
    link_path: String,
}

/// Without an account that waits, the way to the sign-in.
fn to_sign_in() -> Response {
    Redirect::to("/login").into_response()
}

async fn show(visitor: Visitor, headers: HeaderMap) -> Response {
    let answer = match AccountCookie::read(&headers) {
        Some(account) => {
            let email = account.email.clone();
            page(&visitor, account, email, Errors::default())
        }
        None => to_sign_in(),
    };
    visitor.answer(Ok(answer))
}

/// Leads to the page from the address of a form: by a link to the other language.
async fn back(visitor: Visitor) -> Response {
    visitor.answer(Ok(Redirect::to(PATH).into_response()))
}

fn page(visitor: &Visitor, account: AccountCookie, identifier: String, errors: Errors) -> Response {
    let status = errors.status();
    let template = Continue {
        page: visitor.page(errors),
        words: visitor.words,
        verified: Some(account.email).filter(|_| account.is_email_verified),
        provider: account.provider,
        identifier,
        link_path: format!("/login?{}", query("return_to", super::federated::ACCOUNTS)),
    };
    render(status, &template)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Typed {
    identifier: String,
}

async fn sign_up(
    visitor: Visitor,
    headers: HeaderMap,
    form: Result<Form<Typed>, Problem>,
) -> Response {
    let answer = match (AccountCookie::read(&headers), form) {
        (Some(account), Ok(Form(form))) => {
            let typed = form.identifier.trim().to_owned();
            let is_answered_for =
                account.is_email_verified && typed.eq_ignore_ascii_case(&account.email);
            let answer = match is_answered_for {
                true => create(&visitor, &account, &typed, String::new()).await,
                false => send(&visitor, &typed).await,
            };
            or_page(&visitor, account, typed, answer)
        }
        (None, Ok(_)) => Ok(to_sign_in()),
        (_, Err(problem)) => Err(problem),
    };
    visitor.answer(answer)
}

/// What was refused is shown where it was asked for.
fn or_page(
    visitor: &Visitor,
    account: AccountCookie,
    typed: String,
    answer: Result<Response, Problem>,
) -> Result<Response, Problem> {
    match answer {
        Err(problem) if problem.is_for_page() => {
            let errors = match problem.reason {
                "IDENTIFIER_TAKEN" => {
                    Errors::field("identifier", visitor.words.address_has_account)
                }
                _ => visitor.errors(&problem),
            };
            Ok(page(visitor, account, typed, errors))
        }
        answer => answer,
    }
}

async fn send(visitor: &Visitor, typed: &str) -> Result<Response, Problem> {
    let message = SendCodeRequest {
        group_id: visitor.state.settings.group_id.clone(),
        identifier: Some(identifier(typed)),
        purpose: Purpose::SignUp.into(),
        client_context: visitor.context.client(),
        ..SendCodeRequest::default()
    };
    let mut verifications = visitor.state.client.verifications();
    let request = visitor.context.request(message);
    let answer = verifications.send_code(request).await?.into_inner();
    let sent = Sent {
        expire_time: answer.expire_time,
        resend_time: answer.resend_time,
        ..sent(answer.verification_id, typed)
    };
    Ok(verify::page(visitor, sent, Errors::default()))
}

fn sent(verification_id: String, address: &str) -> Sent {
    Sent {
        action: "/sign-up/continue/verify",
        resend_action: "/sign-up/continue/resend",
        back_path: PATH,
        verification_id,
        return_to: String::new(),
        address: address.to_owned(),
        uncertain: false,
        expire_time: None,
        resend_time: None,
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CheckForm {
    verification_id: String,
    identifier: String,
    code: String,
}

async fn check(
    visitor: Visitor,
    headers: HeaderMap,
    form: Result<Form<CheckForm>, Problem>,
) -> Response {
    let answer = match (AccountCookie::read(&headers), form) {
        (Some(account), Ok(Form(form))) => {
            let typed = form.identifier.clone();
            let answer = prove(&visitor, &account, form).await;
            or_page(&visitor, account, typed, answer)
        }
        (None, Ok(_)) => Ok(to_sign_in()),
        (_, Err(problem)) => Err(problem),
    };
    visitor.answer(answer)
}

async fn prove(
    visitor: &Visitor,
    account: &AccountCookie,
    form: CheckForm,
) -> Result<Response, Problem> {
    let message = CheckCodeRequest {
        verification: Some(Named::VerificationId(form.verification_id.clone())),
        code: form.code.trim().to_owned(),
    };
    let mut verifications = visitor.state.client.verifications();
    let answer = verifications
        .check_code(visitor.context.request(message))
        .await;
    match answer.map_err(Problem::from) {
        Ok(answer) => {
            let proof = answer.into_inner().proof;
            create(visitor, account, &form.identifier, proof).await
        }
        Err(problem) if matches!(problem.reason, "CODE_WRONG" | "FIELD_INVALID") => {
            let sent = sent(form.verification_id, &form.identifier);
            Ok(verify::page(visitor, sent, visitor.errors(&problem)))
        }
        Err(problem) => Err(problem),
    }
}

/// Makes the user, and signs it in.
async fn create(
    visitor: &Visitor,
    account: &AccountCookie,
    typed: &str,
    proof: String,
) -> Result<Response, Problem> {
    let message = SignUpRequest {
        group_id: visitor.state.settings.group_id.clone(),
        identifier: Some(identifier(typed)),
        proof,
        federation_token: account.federation_token.clone(),
        client_context: visitor.context.client(),
        ..SignUpRequest::default()
    };
    let mut auth = visitor.state.client.auth();
    let signed_up = auth.sign_up(visitor.context.request(message)).await;
    match signed_up.map_err(Problem::from) {
        // By an earlier try, of which the answer was lost; whose it is shows the sign-in.
        Err(problem) if problem.reason != "FEDERATED_IDENTITY_TAKEN" => return Err(problem),
        _ => {}
    }
    let grant = Grant::FederationToken(account.federation_token.clone());
    let answer = issue(visitor, grant).await?;
    let mut response = signed_in(visitor, answer, &account.return_to)?;
    AccountCookie::clear(response.headers_mut());
    Ok(response)
}
