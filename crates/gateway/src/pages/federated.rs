//! Signing in with an account at a provider: on the way there, and when the browser comes back.

use std::collections::BTreeSet;

use askama::Template;
use axum::Router;
use axum::extract::{Extension, Path, Query, RawForm, RawQuery};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use countersign_client::proto::issue_tokens_request::Grant;
use countersign_client::proto::issue_tokens_response::Outcome;
use countersign_client::proto::link_federated_identity_request::Account;
use countersign_client::proto::{
    BeginFederatedSignInRequest, FederatedCallback, LinkFederatedIdentityRequest, ProviderCallback,
};
use http::{HeaderMap, Method, StatusCode};
use serde::Deserialize;

use super::errors::Errors;
use super::federated_cookie::{AccountCookie, SignInCookie};
use super::page::{Page, render};
use super::providers::listed;
use super::reauthenticate::confirm_first;
use super::sign_in::{Way, issue, login, signed_in};
use super::visitor::Visitor;
use super::words::Words;
use crate::origin::{Source, source};
use crate::problem::Problem;
use crate::state::State;
use crate::url::query;

/// The longest way back that is remembered: browsers keep no cookie above 4 KiB.
const LONGEST_PLACE: usize = 1024;

/// Where a person's linked accounts are.
pub(super) const ACCOUNTS: &str = "/profile/accounts";

/// The routes that the gateway's own pages lead to.
pub(super) fn routes() -> Router<State> {
    Router::new()
        .route("/login/with/{provider}", get(begin))
        .route("/profile/accounts/with/{provider}", get(begin_to_link))
}

/// The route that providers send browsers to, by a form of theirs, too.
pub(super) fn callback_route() -> Router<State> {
    let callback = get(come_back).post(come_back_by_form);
    Router::new().route("/login/with/{provider}/callback", callback)
}

async fn begin(
    visitor: Visitor,
    Path(provider): Path<String>,
    Query(way): Query<Way>,
    Extension(source): Extension<Source>,
) -> Response {
    if source == Source::Foreign && visitor.access_token.is_some() {
        // Another site is not to sign anybody in as somebody else.
        let path = format!("/login?{}", query("return_to", &way.return_to));
        return visitor.answer(Ok(Redirect::to(&path).into_response()));
    }
    let answer = match send_away(&visitor, provider, way.return_to.clone(), None).await {
        Err(problem) => refused(&visitor, &way.return_to, problem).await,
        answer => answer,
    };
    visitor.answer(answer)
}

/// What an address has that leads to the linking of an account.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    csrf_token: String,
}

/// Begins to link an account, if the person's own page leads here: another site could otherwise have the account of
/// somebody else linked, who is signed in at the provider in this browser.
async fn begin_to_link(
    visitor: Visitor,
    Path(provider): Path<String>,
    Query(asked): Query<Asked>,
    Extension(source): Extension<Source>,
) -> Response {
    let is_asked_here = !visitor.csrf.is_new && asked.csrf_token == visitor.csrf.value;
    let answer = match visitor.access_token.clone() {
        _ if source == Source::Foreign || !is_asked_here => {
            Ok(Redirect::to(ACCOUNTS).into_response())
        }
        Some(token) => {
            let sent = send_away(&visitor, provider, ACCOUNTS.to_owned(), Some(token)).await;
            sent.or_else(|problem| confirm_first(problem, ACCOUNTS))
        }
        None => Err(Problem::no_token()),
    };
    visitor.answer(answer)
}

async fn send_away(
    visitor: &Visitor,
    provider: String,
    return_to: String,
    access_token: Option<String>,
) -> Result<Response, Problem> {
    let links = access_token.is_some();
    let origin = visitor.state.public_url.origin();
    let message = BeginFederatedSignInRequest {
        group_id: visitor.state.settings.group_id.clone(),
        redirect_uri: format!("{origin}/login/with/{provider}/callback"),
        provider: provider.clone(),
        access_token: access_token.unwrap_or_default(),
        client_context: visitor.context.client(),
    };
    let mut auth = visitor.state.client.auth();
    let answer = auth
        .begin_federated_sign_in(visitor.context.request(message))
        .await?;
    let answer = answer.into_inner();
    let fits = return_to.len() <= LONGEST_PLACE;
    let cookie = SignInCookie {
        federated_sign_in: answer.federated_sign_in,
        provider,
        return_to: if fits { return_to } else { String::new() },
        links,
    };
    let mut response = Redirect::to(&answer.authorization_url).into_response();
    cookie.set(response.headers_mut());
    Ok(response)
}

/// The sign-in again, with what was refused.
async fn refused(visitor: &Visitor, place: &str, problem: Problem) -> Result<Response, Problem> {
    let is_for_page = problem.status.is_client_error() || problem.reason == "PROVIDER_UNAVAILABLE";
    if !is_for_page {
        return Err(problem);
    }
    let errors = Errors::message(match problem.reason {
        "FIELD_INVALID" => visitor.words.provider_refused.to_owned(),
        "PROVIDER_UNAVAILABLE" => visitor.words.provider_unavailable.to_owned(),
        _ => problem.detail,
    });
    Ok(login(visitor, String::new(), place, errors).await)
}

async fn come_back(
    visitor: Visitor,
    method: Method,
    Path(provider): Path<String>,
    headers: HeaderMap,
    RawQuery(raw): RawQuery,
) -> Response {
    if method == Method::HEAD {
        // It would use the sign-in up.
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let parameters = parameters(raw.unwrap_or_default().as_bytes());
    come_back_with(visitor, &provider, &headers, parameters).await
}

/// A form that the provider's own page has sent comes without the cookies of this site: they are `SameSite=Lax`. A
/// page of ours sends it again, with them.
async fn come_back_by_form(
    visitor: Visitor,
    Path(provider): Path<String>,
    headers: HeaderMap,
    form: Result<RawForm, axum::extract::rejection::RawFormRejection>,
) -> Response {
    let body = match form {
        Ok(RawForm(body)) => body,
        Err(rejection) => return rejection.into_response(),
    };
    let parameters = parameters(&body);
    // What this site has sent again is not sent once more.
    let is_again = body.ends_with(b"&again=1");
    let is_own = is_again || source(&headers, visitor.state.public_url.origin()) == Source::Own;
    if is_own || SignInCookie::read(&headers).is_some() {
        return come_back_with(visitor, &provider, &headers, parameters).await;
    }
    let answer = parameters.map(|callback| {
        let template = Finish {
            page: visitor.page(Errors::default()),
            words: visitor.words,
            path: format!("/login/with/{provider}/callback"),
            callback,
        };
        render(StatusCode::OK, &template)
    });
    visitor.answer(answer)
}

#[derive(Template)]
#[template(path = "federated_finish.html")]
struct Finish {
    page: Page,
    words: &'static Words,
    path: String,
    callback: ProviderCallback,
}

async fn come_back_with(
    visitor: Visitor,
    provider: &str,
    headers: &HeaderMap,
    parameters: Result<ProviderCallback, Problem>,
) -> Response {
    let cookie = SignInCookie::read(headers).filter(|cookie| cookie.provider == provider);
    let links = cookie.as_ref().is_some_and(|cookie| cookie.links);
    let place = cookie
        .as_ref()
        .map_or("", |cookie| &cookie.return_to)
        .to_owned();
    let answer = match (cookie, parameters) {
        (Some(cookie), Ok(callback)) => finish(&visitor, cookie, callback).await,
        // Another browser, or too late: or somebody wants this browser signed in as somebody else.
        (None, Ok(_)) => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "FEDERATED_SIGN_IN_REFUSED",
            visitor.words.provider_refused,
        )),
        (_, Err(problem)) => Err(problem),
    };
    match answer {
        Err(problem) if links => visitor.answer(not_linked(problem)),
        // It stays: whoever has sent the browser here may not have been the provider.
        Err(problem) => {
            let answer = refused(&visitor, &place, problem).await;
            visitor.answer(answer)
        }
        answer => {
            let mut response = visitor.answer(answer);
            SignInCookie::clear(response.headers_mut());
            response
        }
    }
}

/// The linked accounts, with what was refused.
fn not_linked(problem: Problem) -> Result<Response, Problem> {
    let is_for_page = problem.is_for_page() || problem.reason == "PROVIDER_UNAVAILABLE";
    let path = format!("{ACCOUNTS}?{}", query("refused", problem.reason));
    match is_for_page {
        true => Ok(Redirect::to(&path).into_response()),
        false => Err(problem),
    }
}

async fn finish(
    visitor: &Visitor,
    cookie: SignInCookie,
    callback: ProviderCallback,
) -> Result<Response, Problem> {
    let returned = FederatedCallback {
        federated_sign_in: cookie.federated_sign_in,
        callback: Some(callback),
    };
    if cookie.links {
        return link(visitor, returned).await;
    }
    let mut answer = issue(visitor, Grant::Federated(returned)).await?;
    let Some(Outcome::FederatedAccount(account)) = answer.outcome.take_if(is_unlinked) else {
        return signed_in(visitor, answer, &cookie.return_to);
    };
    let known = listed(visitor, str::to_owned).await;
    let name = known
        .into_iter()
        .find(|known| known.path == account.provider);
    let name = name.map_or_else(|| account.provider.clone(), |known| known.name);
    let mut response = Redirect::to("/sign-up/continue").into_response();
    AccountCookie::new(account, name, cookie.return_to).set(response.headers_mut());
    Ok(response)
}

fn is_unlinked(outcome: &mut Outcome) -> bool {
    matches!(outcome, Outcome::FederatedAccount(_))
}

async fn link(visitor: &Visitor, returned: FederatedCallback) -> Result<Response, Problem> {
    let message = LinkFederatedIdentityRequest {
        access_token: visitor.access_token.clone().ok_or_else(Problem::no_token)?,
        account: Some(Account::Callback(returned)),
        client_context: visitor.context.client(),
    };
    let mut federation = visitor.state.client.federation();
    let answer = federation
        .link_federated_identity(visitor.context.request(message))
        .await;
    match answer.map_err(Problem::from) {
        Ok(_) => Ok(Redirect::to("/profile/accounts?done=linked").into_response()),
        Err(problem) => confirm_first(problem, ACCOUNTS),
    }
}

/// The parameters of a callback. One that comes twice is refused: nobody could tell which one was meant.
fn parameters(text: &[u8]) -> Result<ProviderCallback, Problem> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(text)
        .map_err(|error| Problem::malformed(error.to_string()))?;
    let mut callback = ProviderCallback::default();
    let mut seen = BTreeSet::new();
    for (name, value) in pairs {
        let field = match name.as_str() {
            "code" => &mut callback.code,
            "state" => &mut callback.state,
            "iss" => &mut callback.iss,
            "error" => &mut callback.error,
            "user" => &mut callback.user,
            _ => continue,
        };
        *field = value;
        if !seen.insert(name) {
            return Err(Problem::malformed("a parameter comes twice".to_owned()));
        }
    }
    Ok(callback)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_that_comes_twice_is_refused() {
        let read = parameters(b"code=a%2Bb&state=s&iss=https%3A%2F%2Fid.example&other=1&other=2");
        let callback = read.unwrap();
        assert_eq!(callback.code, "a+b");
        assert_eq!(callback.iss, "https://id.example");
        for twice in [
            "code=a&code=b",
            "code=&code=b",
            "state=a&state=a",
            "iss=a&code=b&iss=c",
        ] {
            assert!(parameters(twice.as_bytes()).is_err(), "{twice}");
        }
    }
}
