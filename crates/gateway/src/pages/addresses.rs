//! The addresses of a person: the list, removing one, and sending a code to a new one.

use askama::Template;
use axum::Router;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use countersign_client::proto::identifier::Value as Kind;
use countersign_client::proto::{
    Identifier, IdentifierChange, ListIdentifiersRequest, Purpose, RemoveIdentifierRequest,
    SendCodeRequest,
};
use serde::Deserialize;

use super::errors::Errors;
use super::form::Form;
use super::member::Member;
use super::new_address::Change;
use super::page::{Page, render};
use super::page_query::Query;
use super::reauthenticate::confirm_first;
use super::times::Moment;
use super::visitor::Visitor;
use super::words::Words;
use crate::problem::Problem;
use crate::tokens::identifier;
use crate::url::query;

/// The page of this file.
const PATH: &str = "/profile/addresses";

pub(super) fn routes() -> Router<crate::state::State> {
    Router::new()
        .route(PATH, get(show).post(send))
        .route("/profile/addresses/remove", get(back_to_list).post(remove))
}

#[derive(Template)]
#[template(path = "addresses.html")]
struct Addresses {
    page: Page,
    words: &'static Words,
    addresses: Vec<AddressRow>,
    only_one: bool,
    undoable: Vec<UndoRow>,
    replaces: Option<String>,
    identifier: String,
}

#[derive(Debug)]
struct AddressRow {
    value: String,
    phone: bool,
    replace_path: String,
}

/// A change that can be undone.
#[derive(Debug)]
struct UndoRow {
    added: String,
    removed: String,
    at: Moment,
    until: Moment,
}

/// What the form holds.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    /// The address to change; one is added if it is empty.
    pub(super) replaces: String,
    /// The new one.
    pub(super) identifier: String,
}

impl Typed {
    /// The page with the same in its form.
    fn path(&self) -> String {
        format!(
            "{PATH}?{}&{}",
            query("replaces", &self.replaces),
            query("identifier", &self.identifier),
        )
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Done {
    done: String,
}

async fn show(visitor: Visitor, Query(done): Query<Done>, Query(typed): Query<Typed>) -> Response {
    let notice = match done.done.as_str() {
        "added" => Some(visitor.words.address_added),
        "changed" => Some(visitor.words.address_changed),
        "removed" => Some(visitor.words.address_removed),
        _ => None,
    };
    let answer = match Member::of(&visitor).await {
        Ok(member) => list(&visitor, &member, typed, notice, Errors::default()).await,
        Err(problem) => Err(problem),
    };
    visitor.answer(answer)
}

/// Leads to the list from the address of a form: by a link to the other language, or after a new sign-in.
pub(super) async fn back_to_list(visitor: Visitor) -> Response {
    visitor.answer(Ok(Redirect::to(PATH).into_response()))
}

/// The list, with what was refused.
///
/// # Errors
/// If it is nothing that this page could show.
pub(super) async fn refused(
    visitor: &Visitor,
    member: &Member,
    typed: Typed,
    problem: Problem,
) -> Result<Response, Problem> {
    match confirm_first(problem, &typed.path()) {
        Err(problem) if problem.is_for_page() => {
            let errors = visitor.errors(&problem);
            list(visitor, member, typed, None, errors).await
        }
        answer => answer,
    }
}

async fn list(
    visitor: &Visitor,
    member: &Member,
    typed: Typed,
    notice: Option<&'static str>,
    errors: Errors,
) -> Result<Response, Problem> {
    let message = ListIdentifiersRequest {
        access_token: member.access_token.clone(),
    };
    let mut users = visitor.state.client.users();
    let answer = users
        .list_identifiers(visitor.context.request(message))
        .await?;
    let answer = answer.into_inner();
    let addresses: Vec<AddressRow> = answer.identifiers.into_iter().filter_map(row).collect();
    let is_own = |address: &String| addresses.iter().any(|own| own.value == *address);
    let status = errors.status();
    let template = Addresses {
        page: Page {
            notice,
            ..visitor.account_page(member.name(), errors)
        },
        words: visitor.words,
        replaces: Some(typed.replaces).filter(is_own),
        identifier: typed.identifier,
        only_one: addresses.len() == 1,
        undoable: answer.undoable_changes.into_iter().map(undo_row).collect(),
        addresses,
    };
    Ok(render(status, &template))
}

/// A user name is no address.
fn row(identifier: Identifier) -> Option<AddressRow> {
    let (value, phone) = match identifier.value? {
        Kind::Email(text) => (text, false),
        Kind::Phone(text) => (text, true),
        Kind::Username(_) => return None,
    };
    let replace_path = format!("{PATH}?{}#add", query("replaces", &value));
    Some(AddressRow {
        value,
        phone,
        replace_path,
    })
}

fn undo_row(change: IdentifierChange) -> UndoRow {
    let text = |identifier: Option<Identifier>| match identifier.and_then(|i| i.value) {
        Some(Kind::Email(text) | Kind::Phone(text) | Kind::Username(text)) => text,
        None => String::new(),
    };
    UndoRow {
        added: text(change.added),
        removed: text(change.removed),
        at: Moment::new(change.create_time),
        until: Moment::new(change.undo_expire_time),
    }
}

async fn send(visitor: Visitor, form: Result<Form<Typed>, Problem>) -> Response {
    let answer = match form {
        Ok(Form(form)) => begin_change(&visitor, form).await,
        Err(problem) => Err(problem),
    };
    visitor.answer(answer)
}

async fn begin_change(visitor: &Visitor, typed: Typed) -> Result<Response, Problem> {
    let member = Member::of(visitor).await?;
    match send_code(visitor, &member, &typed).await {
        Ok(change) => Ok(Redirect::to(&change.path()).into_response()),
        Err(problem) => refused(visitor, &member, typed, problem).await,
    }
}

/// Sends a code to the new address.
///
/// # Errors
/// What the service says.
pub(super) async fn send_code(
    visitor: &Visitor,
    member: &Member,
    typed: &Typed,
) -> Result<Change, Problem> {
    let message = SendCodeRequest {
        group_id: visitor.state.settings.group_id.clone(),
        identifier: Some(identifier(&typed.identifier)),
        purpose: Purpose::ChangeIdentifier.into(),
        client_context: visitor.context.client(),
        access_token: member.access_token.clone(),
        ..SendCodeRequest::default()
    };
    let mut verifications = visitor.state.client.verifications();
    let answer = verifications
        .send_code(visitor.context.request(message))
        .await?;
    Ok(Change {
        verification_id: answer.into_inner().verification_id,
        identifier: typed.identifier.trim().to_owned(),
        replaces: typed.replaces.clone(),
    })
}

#[derive(Deserialize)]
struct RemoveForm {
    address: String,
}

async fn remove(visitor: Visitor, form: Result<Form<RemoveForm>, Problem>) -> Response {
    let answer = match form {
        Ok(Form(form)) => remove_address(&visitor, form).await,
        Err(problem) => Err(problem),
    };
    visitor.answer(answer)
}

async fn remove_address(visitor: &Visitor, form: RemoveForm) -> Result<Response, Problem> {
    let member = Member::of(visitor).await?;
    let message = RemoveIdentifierRequest {
        access_token: member.access_token.clone(),
        identifier: Some(identifier(&form.address)),
    };
    let mut users = visitor.state.client.users();
    let request = visitor.context.request(message);
    match users.remove_identifier(request).await {
        Ok(_) => Ok(Redirect::to("/profile/addresses?done=removed").into_response()),
        Err(status) => refused(visitor, &member, Typed::default(), status.into()).await,
    }
}
