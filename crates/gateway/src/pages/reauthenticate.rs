//! Showing the password or a factor once more, before what needs a recent sign-in.

use askama::Template;
use axum::Router;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use countersign_client::proto::{
    BeginStepUpAssertionRequest, Factor, FactorKind, SendStepUpCodeRequest, StepUpSessionRequest,
};
use countersign_client::{Requirement, VerifyToken as _};
use serde::Deserialize;

use super::errors::Errors;
use super::form::Form;
use super::member::Member;
use super::page::{Page, render};
use super::page_query::Query;
use super::sign_in::led_on;
use super::visitor::Visitor;
use super::words::Words;
use crate::cookies;
use crate::problem::Problem;
use crate::url::query;

pub(super) fn routes() -> Router<crate::state::State> {
    Router::new()
        .route("/profile/confirm", get(show).post(confirm))
        .route("/profile/confirm/send", get(show).post(send))
}

/// Leads here if all that lacks is a recent sign-in, or the second factor. The person comes back to the place.
///
/// # Errors
/// The problem, if it is another one.
pub(super) fn confirm_first(problem: Problem, place: &str) -> Result<Response, Problem> {
    let asked = Asked {
        return_to: place.to_owned(),
        second_factor: problem.reason == "SECOND_FACTOR_REQUIRED",
        ..Asked::default()
    };
    match problem.reason {
        "AUTHENTICATION_TOO_OLD" | "SECOND_FACTOR_REQUIRED" => Ok(asked.redirect()),
        _ => Err(problem),
    }
}

#[derive(Template)]
#[template(path = "reauthenticate.html")]
struct Reauthenticate {
    page: Page,
    words: &'static Words,
    return_to: String,
    second_factor: bool,
    code_factors: Vec<CodeFactor>,
    passkey_options: Option<String>,
    login_path: String,
}

/// An address to which a code can be sent.
#[derive(Debug)]
struct CodeFactor {
    /// Empty: whichever the service chooses.
    id: String,
    masked_address: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Asked {
    return_to: String,
    /// Whether a password is not enough.
    second_factor: bool,
    /// Whether a code was just sent.
    sent: bool,
}

impl Asked {
    fn redirect(&self) -> Response {
        let path = format!(
            "/profile/confirm?{}&second_factor={}&sent={}",
            query("return_to", &self.return_to),
            self.second_factor,
            self.sent,
        );
        Redirect::to(&path).into_response()
    }
}

async fn show(visitor: Visitor, Query(asked): Query<Asked>) -> Response {
    let answer = match Member::of(&visitor).await {
        Ok(member) => page(&visitor, &member, asked, Errors::default()).await,
        Err(problem) => Err(problem),
    };
    visitor.answer(answer)
}

async fn page(
    visitor: &Visitor,
    member: &Member,
    asked: Asked,
    errors: Errors,
) -> Result<Response, Problem> {
    let enrolled = member.factors(visitor).await?;
    let token = member.access_token.as_str();
    let client = &visitor.state.client;
    let claims = client.verify(token, &Requirement::new()).await?;
    let has_factors = !enrolled.factors.is_empty() || enrolled.unreadable_factors > 0;
    let is_passkey = |factor: &Factor| factor.kind() == FactorKind::Passkey;
    let has_passkey = enrolled.factors.iter().any(is_passkey);
    let template = Reauthenticate {
        words: visitor.words,
        // Where somebody has a factor, a password would lead here again.
        second_factor: asked.second_factor || has_factors || claims.acr == "aal2",
        code_factors: code_factors(enrolled.factors, has_factors),
        passkey_options: match has_passkey {
            true => assertion_options(visitor, member).await,
            false => None,
        },
        login_path: login_path(&asked.return_to),
        return_to: asked.return_to,
        page: Page {
            notice: asked.sent.then_some(visitor.words.code_was_sent),
            ..visitor.account_page(member.name(), errors)
        },
    };
    Ok(render(template.page.errors.status(), &template))
}

fn login_path(place: &str) -> String {
    format!("/login?{}", query("return_to", place))
}

/// The addresses that are factors. For somebody who has none, any verified address may stand in.
fn code_factors(factors: Vec<Factor>, has_factors: bool) -> Vec<CodeFactor> {
    if !has_factors {
        return vec![CodeFactor {
            id: String::new(),
            masked_address: String::new(),
        }];
    }
    let addresses = factors.into_iter().filter(|factor| {
        let kind = factor.kind();
        matches!(kind, FactorKind::Sms | FactorKind::Email)
    });
    let addresses = addresses.map(|factor| CodeFactor {
        id: factor.factor_id,
        masked_address: factor.masked_address,
    });
    addresses.collect()
}

/// What a browser needs to ask for a passkey. Without it the other ways are left.
async fn assertion_options(visitor: &Visitor, member: &Member) -> Option<String> {
    let message = BeginStepUpAssertionRequest {
        access_token: member.access_token.clone(),
    };
    let mut sessions = visitor.state.client.sessions();
    let request = visitor.context.request(message);
    let answer = sessions.begin_step_up_assertion(request).await.ok()?;
    Some(answer.into_inner().request_options)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SendForm {
    factor_id: String,
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
    let member = Member::of(visitor).await?;
    let message = SendStepUpCodeRequest {
        access_token: member.access_token.clone(),
        factor_id: form.factor_id,
        client_context: visitor.context.client(),
    };
    let mut asked = Asked {
        return_to: form.return_to,
        second_factor: true,
        sent: true,
    };
    let mut sessions = visitor.state.client.sessions();
    let answer = sessions
        .send_step_up_code(visitor.context.request(message))
        .await;
    match answer.map_err(Problem::from) {
        Ok(_) => Ok(asked.redirect()),
        // Who has no second factor any more signs in anew.
        Err(problem) if problem.reason == "FACTOR_NOT_FOUND" => {
            Ok(Redirect::to(&login_path(&asked.return_to)).into_response())
        }
        Err(problem) if problem.is_for_page() => {
            asked.sent = false;
            page(visitor, &member, asked, visitor.errors(&problem)).await
        }
        Err(problem) => Err(problem),
    }
}

/// One of the three is given.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ConfirmForm {
    current_password: Option<String>,
    code: Option<String>,
    credential: Option<String>,
    return_to: String,
}

async fn confirm(visitor: Visitor, form: Result<Form<ConfirmForm>, Problem>) -> Response {
    let answer = match form {
        Ok(Form(form)) => step_up(&visitor, form).await,
        Err(problem) => Err(problem),
    };
    visitor.answer(answer)
}

async fn step_up(visitor: &Visitor, form: ConfirmForm) -> Result<Response, Problem> {
    let member = Member::of(visitor).await?;
    let mut asked = Asked {
        second_factor: form.current_password.is_none(),
        return_to: form.return_to,
        sent: false,
    };
    if form.current_password.as_deref() == Some("") {
        let errors = Errors::field("current_password", visitor.words.password_missing);
        return page(visitor, &member, asked, errors).await;
    }
    let code = form.code.unwrap_or_default().trim().to_owned();
    if code.is_empty() && asked.second_factor && form.credential.is_none() {
        let errors = Errors::field("code", visitor.words.code_invalid);
        return page(visitor, &member, asked, errors).await;
    }
    let message = StepUpSessionRequest {
        access_token: member.access_token.clone(),
        password: form.current_password.unwrap_or_default(),
        code,
        credential: form.credential.unwrap_or_default(),
        device_token: visitor.device_token.clone(),
        client_context: visitor.context.client(),
    };
    let mut sessions = visitor.state.client.sessions();
    let answer = sessions
        .step_up_session(visitor.context.request(message))
        .await;
    match answer.map_err(Problem::from) {
        Ok(answer) => {
            let answer = answer.into_inner();
            let mut response = led_on(visitor, &asked.return_to);
            let expire_time = answer.access_token_expire_time;
            cookies::set_access(response.headers_mut(), &answer.access_token, expire_time)?;
            Ok(response)
        }
        Err(problem) if problem.is_for_page() => {
            asked.second_factor |= problem.reason == "SECOND_FACTOR_REQUIRED";
            page(visitor, &member, asked, visitor.errors(&problem)).await
        }
        Err(problem) => Err(problem),
    }
}
