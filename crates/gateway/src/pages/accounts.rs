//! The accounts at providers that are linked to a person: the list, linking and unlinking.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use countersign_client::proto::link_federated_identity_request::Account;
use countersign_client::proto::{
    FederatedIdentity, LinkFederatedIdentityRequest, ListFederatedIdentitiesRequest,
    UnlinkFederatedIdentityRequest,
};
use http::HeaderMap;
use serde::Deserialize;

use super::errors::Errors;
use super::federated::ACCOUNTS;
use super::federated_cookie::AccountCookie;
use super::form::Form;
use super::member::Member;
use super::page::{Page, render};
use super::providers::{Provider, providers_to_link};
use super::reauthenticate::confirm_first;
use super::times::Moment;
use super::visitor::Visitor;
use super::words::Words;
use crate::problem::Problem;

pub(super) fn routes() -> Router<crate::state::State> {
    Router::new()
        .route(ACCOUNTS, get(show))
        .route("/profile/accounts/link", get(back_to_list).post(link))
        .route(
            "/profile/accounts/{id}/unlink",
            get(back_to_list).post(unlink),
        )
}

#[derive(Template)]
#[template(path = "accounts.html")]
struct Accounts {
    page: Page,
    words: &'static Words,
    accounts: Vec<Linked>,
    providers: Vec<Provider>,
    /// The provider of an account that waits to be linked.
    waiting: Option<String>,
}

#[derive(Debug)]
struct Linked {
    id: String,
    provider: String,
    email: String,
    linked_at: Moment,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Done {
    done: String,
    refused: String,
}

async fn show(visitor: Visitor, Query(done): Query<Done>, headers: HeaderMap) -> Response {
    let words = visitor.words;
    let notice = match done.done.as_str() {
        "linked" => Some(words.account_linked),
        "unlinked" => Some(words.account_unlinked),
        _ => None,
    };
    let errors = match done.refused.as_str() {
        "" => Errors::default(),
        "FEDERATED_IDENTITY_TAKEN" => Errors::message(words.account_taken.to_owned()),
        "PROVIDER_UNAVAILABLE" => Errors::message(words.provider_unavailable.to_owned()),
        _ => Errors::message(words.provider_refused.to_owned()),
    };
    let answer = list(&visitor, &headers, notice, errors).await;
    visitor.answer(answer)
}

/// Leads to the list from the address of a form: by a link to the other language, or after a new sign-in.
async fn back_to_list(visitor: Visitor) -> Response {
    visitor.answer(Ok(Redirect::to(ACCOUNTS).into_response()))
}

async fn list(
    visitor: &Visitor,
    headers: &HeaderMap,
    notice: Option<&'static str>,
    errors: Errors,
) -> Result<Response, Problem> {
    let member = Member::of(visitor).await?;
    let message = ListFederatedIdentitiesRequest {
        access_token: member.access_token.clone(),
    };
    let mut federation = visitor.state.client.federation();
    let answer = federation
        .list_federated_identities(visitor.context.request(message))
        .await?;
    let accounts = answer.into_inner().federated_identities.into_iter();
    let template = Accounts {
        words: visitor.words,
        accounts: accounts.map(linked).collect(),
        providers: providers_to_link(visitor).await,
        waiting: AccountCookie::read(headers).map(|account| account.provider),
        page: Page {
            notice,
            ..visitor.account_page(member.name(), errors)
        },
    };
    Ok(render(template.page.errors.status(), &template))
}

fn linked(identity: FederatedIdentity) -> Linked {
    Linked {
        id: identity.federated_identity_id,
        provider: identity.display_name,
        email: identity.masked_email,
        linked_at: Moment::new(identity.link_time),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Empty {}

/// Links the account that waits.
async fn link(
    visitor: Visitor,
    headers: HeaderMap,
    form: Result<Form<Empty>, Problem>,
) -> Response {
    let answer = match (form, AccountCookie::read(&headers)) {
        (Ok(_), Some(account)) => link_waiting(&visitor, &headers, account).await,
        (Ok(_), None) => Ok(Redirect::to(ACCOUNTS).into_response()),
        (Err(problem), _) => Err(problem),
    };
    visitor.answer(answer)
}

async fn link_waiting(
    visitor: &Visitor,
    headers: &HeaderMap,
    account: AccountCookie,
) -> Result<Response, Problem> {
    let message = LinkFederatedIdentityRequest {
        access_token: visitor.access_token.clone().ok_or_else(Problem::no_token)?,
        account: Some(Account::FederationToken(account.federation_token)),
        client_context: visitor.context.client(),
    };
    let mut federation = visitor.state.client.federation();
    let answer = federation
        .link_federated_identity(visitor.context.request(message))
        .await;
    let mut response = match answer.map_err(Problem::from) {
        Ok(_) => Redirect::to("/profile/accounts?done=linked").into_response(),
        Err(problem) => match confirm_first(problem, ACCOUNTS) {
            // It still waits when the person comes back.
            Ok(response) => return Ok(response),
            Err(problem) if problem.is_for_page() => {
                let errors = Errors::message(problem.detail);
                list(visitor, &HeaderMap::new(), None, errors).await?
            }
            Err(problem) => return Err(problem),
        },
    };
    // Whether linked or refused: it does not wait any more.
    if AccountCookie::read(headers).is_some() {
        AccountCookie::clear(response.headers_mut());
    }
    Ok(response)
}

async fn unlink(
    visitor: Visitor,
    Path(id): Path<String>,
    headers: HeaderMap,
    form: Result<Form<Empty>, Problem>,
) -> Response {
    let answer = match form {
        Ok(_) => unlink_one(&visitor, &headers, id).await,
        Err(problem) => Err(problem),
    };
    visitor.answer(answer)
}

async fn unlink_one(
    visitor: &Visitor,
    headers: &HeaderMap,
    id: String,
) -> Result<Response, Problem> {
    let message = UnlinkFederatedIdentityRequest {
        access_token: visitor.access_token.clone().ok_or_else(Problem::no_token)?,
        federated_identity_id: id,
        client_context: visitor.context.client(),
    };
    let mut federation = visitor.state.client.federation();
    let answer = federation
        .unlink_federated_identity(visitor.context.request(message))
        .await;
    match answer.map_err(Problem::from) {
        Ok(_) => Ok(Redirect::to("/profile/accounts?done=unlinked").into_response()),
        Err(problem) => match confirm_first(problem, ACCOUNTS) {
            Err(problem) if problem.is_for_page() => {
                list(visitor, headers, None, Errors::message(problem.detail)).await
            }
            answer => answer,
        },
    }
}
