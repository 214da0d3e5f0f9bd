//! Signing up: an address, a password, and the code that proves the address.

use askama::Template;
use axum::Router;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use countersign_client::proto::sign_up_response::Outcome;
use countersign_client::proto::{
    ConfirmSignUpRequest, GetVerificationRequest, SignUpRequest, Verification,
};
use serde::Deserialize;

use super::errors::Errors;
use super::form::Form;
use super::page::{Page, render};
use super::page_query::Query;
use super::providers::{self, Provider};
use super::sign_in::Way;
use super::verify::{self, Sent};
use super::visitor::Visitor;
use super::words::Words;
use crate::problem::Problem;
use crate::tokens::identifier;
use crate::url::query;

/// The shortest password that the service takes.
pub(super) const PASSWORD_MIN_LENGTH: u32 = 8;

pub(super) fn routes() -> Router<crate::state::State> {
    Router::new()
        .route("/sign-up", get(show).post(sign_up))
        .route("/sign-up/verify", get(ask).post(confirm))
        .route("/sign-up/resend", get(show).post(again))
}

#[derive(Template)]
#[template(path = "sign_up.html")]
struct SignUp {
    page: Page,
    words: &'static Words,
    identifier: String,
    username: String,
    return_to: String,
    password_min_length: u32,
    providers: Vec<Provider>,
    login_path: String,
    link_sign_up: bool,
    proof: Option<String>,
}

#[derive(Default, Deserialize)]
struct SignUpForm {
    identifier: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    return_to: String,
    /// Of a link that has confirmed the address; empty where a code will be sent.
    #[serde(default)]
    proof: String,
}

async fn show(visitor: Visitor, Query(way): Query<Way>) -> Response {
    let form = SignUpForm {
        return_to: way.return_to,
        ..SignUpForm::default()
    };
    visitor.answer(Ok(form_page(&visitor, form, Errors::default()).await))
}

/// The form for somebody whose address was confirmed by a link.
pub(super) async fn finish(visitor: &Visitor, proof: String) -> Response {
    let form = SignUpForm {
        proof,
        ..SignUpForm::default()
    };
    form_page(visitor, form, Errors::default()).await
}

async fn form_page(visitor: &Visitor, form: SignUpForm, errors: Errors) -> Response {
    let status = errors.status();
    let providers = providers::providers(visitor, &form.return_to).await;
    let template = SignUp {
        page: visitor.page(errors),
        words: visitor.words,
        login_path: sign_in_path(&form.return_to),
        identifier: form.identifier,
        username: form.username,
        return_to: form.return_to,
        password_min_length: PASSWORD_MIN_LENGTH,
        providers,
        link_sign_up: false,
        proof: Some(form.proof).filter(|proof| !proof.is_empty()),
    };
    render(status, &template)
}

fn sign_in_path(place: &str) -> String {
    format!("/login?{}", query("return_to", place))
}

async fn sign_up(visitor: Visitor, form: Result<Form<SignUpForm>, Problem>) -> Response {
    let Form(form) = match form {
        Ok(form) => form,
        Err(problem) => return visitor.answer(Err(problem)),
    };
    let message = SignUpRequest {
        group_id: visitor.state.settings.group_id.clone(),
        identifier: Some(identifier(&form.identifier)),
        username: form.username.trim().to_owned(),
        password: form.password.clone(),
        proof: form.proof.clone(),
        client_context: visitor.context.client(),
        ..SignUpRequest::default()
    };
    let mut auth = visitor.state.client.auth();
    let answer = auth.sign_up(visitor.context.request(message)).await;
    let answer = match answer.map_err(Problem::from) {
        Ok(answer) => match answer.into_inner().outcome {
            Some(Outcome::Pending(pending)) => {
                // By an address of its own, so that a reload sends nothing again.
                let path = format!(
                    "/sign-up/verify?{}&{}",
                    query("verification_id", &pending.verification_id),
                    query("return_to", &form.return_to),
                );
                Ok(Redirect::to(&path).into_response())
            }
            Some(Outcome::UserId(_)) => {
                Ok(Redirect::to(&sign_in_path(&form.return_to)).into_response())
            }
            None => Err(Problem::incomplete("outcome")),
        },
        Err(problem) if problem.status.is_client_error() => {
            let errors = visitor.errors(&problem);
            Ok(form_page(&visitor, form, errors).await)
        }
        Err(problem) => Err(problem),
    };
    visitor.answer(answer)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    verification_id: String,
    return_to: String,
}

async fn ask(visitor: Visitor, Query(named): Query<Named>) -> Response {
    let answer = code_page(&visitor, named, Errors::default()).await;
    visitor.answer(answer)
}

async fn code_page(visitor: &Visitor, named: Named, errors: Errors) -> Result<Response, Problem> {
    let verification = verification(visitor, &named.verification_id).await?;
    let sent = Sent {
        action: "/sign-up/verify",
        resend_action: "/sign-up/resend",
        back_path: "/sign-up",
        verification_id: named.verification_id,
        return_to: named.return_to,
        address: verification.masked_address,
        uncertain: false,
        expire_time: verification.expire_time,
        resend_time: None,
    };
    Ok(verify::page(visitor, sent, errors))
}

/// A code that is on its way, as the page tells of it.
///
/// # Errors
/// If there is none of this id.
pub(super) async fn verification(visitor: &Visitor, id: &str) -> Result<Verification, Problem> {
    let message = GetVerificationRequest {
        verification_id: id.to_owned(),
        link_token: String::new(),
    };
    let mut verifications = visitor.state.client.verifications();
    let answer = verifications
        .get_verification(visitor.context.request(message))
        .await?;
    let verification = answer.into_inner().verification;
    verification.ok_or_else(|| Problem::incomplete("verification"))
}

#[derive(Deserialize)]
struct ConfirmForm {
    verification_id: String,
    code: String,
    #[serde(default)]
    return_to: String,
}

async fn confirm(visitor: Visitor, form: Result<Form<ConfirmForm>, Problem>) -> Response {
    let Form(form) = match form {
        Ok(form) => form,
        Err(problem) => return visitor.answer(Err(problem)),
    };
    let message = ConfirmSignUpRequest {
        verification_id: form.verification_id.clone(),
        code: form.code.trim().to_owned(),
    };
    let mut auth = visitor.state.client.auth();
    let answer = auth.confirm_sign_up(visitor.context.request(message)).await;
    let answer = match answer.map_err(Problem::from) {
        Ok(_) => Ok(Redirect::to(&sign_in_path(&form.return_to)).into_response()),
        Err(problem) if matches!(problem.reason, "CODE_WRONG" | "FIELD_INVALID") => {
            let named = Named {
                verification_id: form.verification_id,
                return_to: form.return_to,
            };
            code_page(&visitor, named, visitor.errors(&problem)).await
        }
        Err(problem) if problem.status.is_client_error() => {
            let typed = SignUpForm {
                return_to: form.return_to,
                ..SignUpForm::default()
            };
            Ok(form_page(&visitor, typed, Errors::message(problem.detail)).await)
        }
        Err(problem) => Err(problem),
    };
    visitor.answer(answer)
}

/// A new code needs the password again, which is kept nowhere: the person starts over.
async fn again(visitor: Visitor, form: Result<Form<Way>, Problem>) -> Response {
    let answer = form.map(|Form(way)| {
        let path = format!("/sign-up?{}", query("return_to", &way.return_to));
        Redirect::to(&path).into_response()
    });
    visitor.answer(answer)
}
