//! Signing in with a password, and signing out.

use askama::Template;
use axum::Router;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use countersign_client::proto::issue_tokens_request::Grant;
use countersign_client::proto::issue_tokens_response::Outcome;
use countersign_client::proto::{
    IssueTokensRequest, IssueTokensResponse, PasswordGrant, RevokeTokenRequest,
};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::errors::{Errors, FieldError};
use super::form::Form;
use super::mfa_cookie::MfaCookie;
use super::page::{Page, render};
use super::page_query::Query;
use super::passkey_options;
use super::providers::{self, Provider};
use super::visitor::Visitor;
use super::words::Words;
use crate::problem::Problem;
use crate::tokens::identifier;
use crate::url::query;
use crate::{cookies, return_to};

pub(super) fn routes() -> Router<crate::state::State> {
    Router::new()
        .route("/login", get(show).post(sign_in))
        .route("/logout", get(back_to_sign_in).post(sign_out))
}

#[derive(Template)]
#[template(path = "login.html")]
struct Login {
    page: Page,
    words: &'static Words,
    identifier: String,
    return_to: String,
    code_sign_in: bool,
    passkey_options: Option<String>,
    providers: Vec<Provider>,
    sign_up_path: Option<String>,
}

/// Where a sign-in leads back to.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Way {
    pub(super) return_to: String,
}

async fn show(visitor: Visitor, Query(way): Query<Way>) -> Response {
    let page = login(&visitor, String::new(), &way.return_to, Errors::default()).await;
    visitor.answer(Ok(page))
}

/// Leads to the sign-in from the address of a form: by a link to the other language.
pub(super) async fn back_to_sign_in(visitor: Visitor) -> Response {
    visitor.answer(Ok(Redirect::to("/login").into_response()))
}

#[derive(Deserialize)]
struct SignIn {
    identifier: String,
    password: String,
    #[serde(default)]
    return_to: String,
}

async fn sign_in(visitor: Visitor, form: Result<Form<SignIn>, Problem>) -> Response {
    let Form(form) = match form {
        Ok(form) => form,
        Err(problem) => return visitor.answer(Err(problem)),
    };
    let missing = missing(&form, visitor.words);
    if missing.has_fields() {
        let page = login(&visitor, form.identifier, &form.return_to, missing).await;
        return visitor.answer(Ok(page));
    }
    let grant = Grant::Password(PasswordGrant {
        identifier: Some(identifier(&form.identifier)),
        password: form.password,
    });
    let answer = issue(&visitor, grant).await;
    let answer = answer.and_then(|answer| signed_in(&visitor, answer, &form.return_to));
    let answer = match answer {
        Err(problem) if problem.status.is_client_error() => {
            // Whatever was wrong with what was typed is one answer.
            let errors = Errors::message(match problem.reason {
                "FIELD_INVALID" => visitor.words.sign_in_refused.to_owned(),
                _ => problem.detail,
            });
            Ok(login(&visitor, form.identifier, &form.return_to, errors).await)
        }
        answer => answer,
    };
    visitor.answer(answer)
}

fn missing(form: &SignIn, words: &'static Words) -> Errors {
    let mut errors = Errors::default();
    if form.identifier.trim().is_empty() {
        errors.fields.push(FieldError {
            field: "identifier",
            message: words.identifier_missing,
        });
    }
    if form.password.is_empty() {
        errors.fields.push(FieldError {
            field: "password",
            message: words.password_missing,
        });
    }
    errors
}

/// Exchanges a grant, as a gateway that knows devices.
///
/// # Errors
/// What the service says.
pub(super) async fn issue(visitor: &Visitor, grant: Grant) -> Result<IssueTokensResponse, Problem> {
    let message = IssueTokensRequest {
        group_id: visitor.state.settings.group_id.clone(),
        grant: Some(grant),
        client_context: visitor.context.client(),
        device_token: Some(visitor.device_token.clone()),
        ..IssueTokensRequest::default()
    };
    let mut auth = visitor.state.client.auth();
    let answer = auth.issue_tokens(visitor.context.request(message)).await?;
    Ok(answer.into_inner())
}

/// Sets the cookies of a sign-in and leads on, or to the second factor.
///
/// # Errors
/// If the answer has neither.
pub(super) fn signed_in(
    visitor: &Visitor,
    answer: IssueTokensResponse,
    place: &str,
) -> Result<Response, Problem> {
    match answer.outcome {
        Some(Outcome::Tokens(tokens)) => {
            let mut response = led_on(visitor, place);
            let headers = response.headers_mut();
            cookies::set_tokens(headers, &tokens)?;
            cookies::set_device(
                headers,
                &answer.device_token,
                answer.device_token_expire_time,
            );
            Ok(response)
        }
        Some(Outcome::MfaRequired(required)) => {
            let path = format!("/login/factor?{}", query("return_to", place));
            let mut response = Redirect::to(&path).into_response();
            MfaCookie::new(&required).set(response.headers_mut());
            Ok(response)
        }
        Some(Outcome::ServiceAccountToken(_) | Outcome::FederatedAccount(_)) | None => {
            Err(Problem::incomplete("outcome"))
        }
    }
}

/// Leads to the place, if it is an allowed one, or else to the profile.
pub(super) fn led_on(visitor: &Visitor, place: &str) -> Response {
    let place = return_to::checked(&visitor.state, place);
    Redirect::to(place.as_deref().unwrap_or("/profile")).into_response()
}

/// The page of the sign-in.
pub(super) async fn login(
    visitor: &Visitor,
    identifier: String,
    place: &str,
    errors: Errors,
) -> Response {
    let status = errors.status();
    let template = Login {
        page: visitor.page(errors),
        words: visitor.words,
        identifier,
        return_to: place.to_owned(),
        code_sign_in: true,
        passkey_options: passkey_options::options(visitor).await,
        providers: providers::providers(visitor, place).await,
        sign_up_path: Some(format!("/sign-up?{}", query("return_to", place))),
    };
    render(status, &template)
}

#[derive(Template)]
#[template(path = "signed_out.html")]
struct SignedOut {
    page: Page,
    words: &'static Words,
}

/// Ends the session. The cookies go only once it has ended: who could not be signed out is not told so.
async fn sign_out(
    visitor: Visitor,
    headers: HeaderMap,
    form: Result<Form<Way>, Problem>,
) -> Response {
    let answer = match form {
        Ok(_) => revoke(&visitor, &headers).await,
        Err(problem) => Err(problem),
    };
    visitor.answer(answer)
}

async fn revoke(visitor: &Visitor, headers: &HeaderMap) -> Result<Response, Problem> {
    if let Some(token) = cookies::read(headers, cookies::ACCESS) {
        let message = RevokeTokenRequest {
            token: token.to_owned(),
        };
        let mut auth = visitor.state.client.auth();
        auth.revoke_token(visitor.context.request(message)).await?;
    }
    let template = SignedOut {
        page: visitor.page(Errors::default()),
        words: visitor.words,
    };
    let mut response = render(StatusCode::OK, &template);
    cookies::clear(response.headers_mut());
    Ok(response)
}
