//! The second factor of a sign-in.

use askama::Template;
use axum::Router;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use countersign_client::proto::{
    BeginMfaAssertionRequest, SendMfaCodeRequest, ValidateMfaSessionRequest,
};
use http::HeaderMap;
use serde::Deserialize;

use super::errors::Errors;
use super::form::Form;
use super::mfa_cookie::{Factor, MfaCookie};
use super::page::{Page, render};
use super::page_query::Query;
use super::sign_in::led_on;
use super::verify::left;
use super::visitor::Visitor;
use super::words::Words;
use crate::cookies;
use crate::problem::Problem;
use crate::url::query;

pub(super) fn routes() -> Router<crate::state::State> {
    Router::new()
        .route("/login/factor", get(ask).post(show))
        .route("/login/factor/send", get(ask).post(send))
}

#[derive(Template)]
#[template(path = "factor.html")]
struct FactorPage {
    page: Page,
    words: &'static Words,
    chosen: SignInFactor,
    others: Vec<SignInFactor>,
    passkey_options: Option<String>,
    must_send: bool,
    sent: bool,
    resend_seconds: u64,
    remember_days: Option<u32>,
    return_to: String,
}

/// A factor that may be shown.
#[derive(Debug)]
struct SignInFactor {
    value: String,
    kind: String,
    masked_address: String,
    path: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    factor: Option<String>,
    return_to: String,
}

/// What became of the sign-in so far.
#[derive(Debug, Default)]
struct Progress {
    sent: bool,
    resend_seconds: u64,
    errors: Errors,
}

async fn ask(visitor: Visitor, headers: HeaderMap, Query(asked): Query<Asked>) -> Response {
    let answer = match MfaCookie::read(&headers) {
        Some(cookie) => page(&visitor, &cookie, &asked, Progress::default()).await,
        None => Ok(start_over(&asked.return_to)),
    };
    visitor.answer(answer)
}

/// The sign-in is over, or was begun in another browser.
fn start_over(place: &str) -> Response {
    Redirect::to(&format!("/login?{}", query("return_to", place))).into_response()
}

async fn page(
    visitor: &Visitor,
    cookie: &MfaCookie,
    asked: &Asked,
    progress: Progress,
) -> Result<Response, Problem> {
    let Some(chosen) = cookie.chosen(asked.factor.as_deref()) else {
        return Ok(start_over(&asked.return_to));
    };
    let passkey_options = match chosen.kind.as_str() {
        "PASSKEY" => Some(assertion_options(visitor, cookie).await?),
        _ => None,
    };
    let shown = |factor: &Factor| SignInFactor {
        value: factor.value.clone(),
        kind: factor.kind.clone(),
        masked_address: factor.masked_address.clone(),
        path: format!(
            "/login/factor?{}&{}",
            query("factor", &factor.value),
            query("return_to", &asked.return_to),
        ),
    };
    let others = cookie.factors.iter().filter(|f| f.value != chosen.value);
    let status = progress.errors.status();
    let template = FactorPage {
        page: visitor.page(progress.errors),
        words: visitor.words,
        chosen: shown(chosen),
        others: others.map(shown).collect(),
        passkey_options,
        must_send: matches!(chosen.kind.as_str(), "SMS" | "EMAIL") && !progress.sent,
        sent: progress.sent,
        resend_seconds: progress.resend_seconds,
        remember_days: cookie.remember_days,
        return_to: asked.return_to.clone(),
    };
    Ok(render(status, &template))
}

async fn assertion_options(visitor: &Visitor, cookie: &MfaCookie) -> Result<String, Problem> {
    let message = BeginMfaAssertionRequest {
        group_id: visitor.state.settings.group_id.clone(),
        mfa_session_id: cookie.mfa_session_id.clone(),
    };
    let mut sessions = visitor.state.client.sessions();
    let answer = sessions
        .begin_mfa_assertion(visitor.context.request(message))
        .await?;
    Ok(answer.into_inner().request_options)
}

async fn send(
    visitor: Visitor,
    headers: HeaderMap,
    form: Result<Form<Asked>, Problem>,
) -> Response {
    let answer = match (form, MfaCookie::read(&headers)) {
        (Ok(Form(asked)), Some(cookie)) => send_code(&visitor, &cookie, asked).await,
        (Ok(Form(asked)), None) => Ok(start_over(&asked.return_to)),
        (Err(problem), _) => Err(problem),
    };
    visitor.answer(answer)
}

async fn send_code(
    visitor: &Visitor,
    cookie: &MfaCookie,
    asked: Asked,
) -> Result<Response, Problem> {
    let message = SendMfaCodeRequest {
        group_id: visitor.state.settings.group_id.clone(),
        mfa_session_id: cookie.mfa_session_id.clone(),
        factor_id: asked.factor.clone().unwrap_or_default(),
        client_context: visitor.context.client(),
    };
    let mut sessions = visitor.state.client.sessions();
    let progress = match sessions
        .send_mfa_code(visitor.context.request(message))
        .await
    {
        Ok(answer) => Progress {
            sent: true,
            resend_seconds: left(answer.into_inner().resend_time),
            errors: Errors::default(),
        },
        Err(status) => {
            let problem = Problem::from(status);
            if problem.reason == "MFA_SESSION_NOT_FOUND" {
                return Ok(start_over(&asked.return_to));
            }
            if problem.status.is_server_error() {
                return Err(problem);
            }
            Progress {
                errors: visitor.errors(&problem),
                ..Progress::default()
            }
        }
    };
    page(visitor, cookie, &asked, progress).await
}

#[derive(Debug, Deserialize)]
struct ShownForm {
    factor: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    credential: String,
    #[serde(default)]
    remember_device: bool,
    #[serde(default)]
    return_to: String,
}

async fn show(
    visitor: Visitor,
    headers: HeaderMap,
    form: Result<Form<ShownForm>, Problem>,
) -> Response {
    let answer = match (form, MfaCookie::read(&headers)) {
        (Ok(Form(form)), Some(cookie)) => validate(&visitor, &cookie, form).await,
        (Ok(Form(form)), None) => Ok(start_over(&form.return_to)),
        (Err(problem), _) => Err(problem),
    };
    visitor.answer(answer)
}

async fn validate(
    visitor: &Visitor,
    cookie: &MfaCookie,
    form: ShownForm,
) -> Result<Response, Problem> {
    let message = ValidateMfaSessionRequest {
        group_id: visitor.state.settings.group_id.clone(),
        mfa_session_id: cookie.mfa_session_id.clone(),
        code: form.code.trim().to_owned(),
        credential: form.credential,
        remember_device: form.remember_device,
    };
    let mut sessions = visitor.state.client.sessions();
    let answer = sessions
        .validate_mfa_session(visitor.context.request(message))
        .await;
    let problem = match answer.map_err(Problem::from) {
        Ok(answer) => {
            let answer = answer.into_inner();
            let tokens = answer.tokens.ok_or_else(|| Problem::incomplete("tokens"))?;
            let mut response = led_on(visitor, &form.return_to);
            let headers = response.headers_mut();
            cookies::set_tokens(headers, &tokens)?;
            cookies::set_device(
                headers,
                &answer.device_token,
                answer.device_token_expire_time,
            );
            MfaCookie::clear(headers);
            return Ok(response);
        }
        Err(problem) => problem,
    };
    if problem.reason == "MFA_SESSION_NOT_FOUND" {
        return Ok(start_over(&form.return_to));
    }
    if problem.status.is_server_error() {
        return Err(problem);
    }
    let is_address = |factor: &Factor| matches!(factor.kind.as_str(), "SMS" | "EMAIL");
    let sent = cookie.chosen(Some(&form.factor)).is_some_and(is_address);
    let asked = Asked {
        factor: Some(form.factor),
        return_to: form.return_to,
    };
    let progress = Progress {
        sent,
        resend_seconds: 0,
        errors: visitor.errors(&problem),
    };
    page(visitor, cookie, &asked, progress).await
}
