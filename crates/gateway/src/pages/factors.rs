//! The second factors of a person: what there is, what can be added, and removing one.

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use countersign_client::proto::identifier::Value as Kind;
use countersign_client::proto::{
    Factor, FactorKind, Identifier, ListIdentifiersRequest, RemoveFactorRequest,
};
use serde::Deserialize;

use super::errors::Errors;
use super::form::Form;
use super::member::Member;
use super::page::{Page, render};
use super::page_query::Query;
use super::passkey_options;
use super::reauthenticate::confirm_first;
use super::times::Moment;
use super::visitor::Visitor;
use super::words::Words;
use crate::problem::Problem;

/// The page of this file.
pub(super) const PATH: &str = "/profile/factors";

pub(super) fn routes() -> Router<crate::state::State> {
    Router::new().route(PATH, get(show)).route(
        "/profile/factors/{factor_id}/remove",
        get(back_to_list).post(remove),
    )
}

#[derive(Template)]
#[template(path = "factors.html")]
struct Factors {
    page: Page,
    words: &'static Words,
    factors: Vec<FactorRow>,
    recovery_codes_left: i32,
    unreadable_factors: i32,
    can_passkey: bool,
    code_addresses: Vec<CodeAddress>,
}

#[derive(Debug)]
struct FactorRow {
    id: String,
    kind: &'static str,
    label: String,
    masked_address: String,
    created_at: Moment,
}

/// A verified address that is no factor yet.
#[derive(Debug)]
struct CodeAddress {
    value: String,
    kind: &'static str,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Done {
    done: String,
}

async fn show(visitor: Visitor, Query(done): Query<Done>) -> Response {
    let notice = match done.done.as_str() {
        "added" => Some(visitor.words.factor_added),
        "removed" => Some(visitor.words.factor_removed),
        _ => None,
    };
    let answer = match Member::of(&visitor).await {
        Ok(member) => list(&visitor, &member, notice, Errors::default()).await,
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
    problem: Problem,
) -> Result<Response, Problem> {
    match confirm_first(problem, PATH) {
        Err(problem) if problem.is_for_page() => {
            list(visitor, member, None, visitor.errors(&problem)).await
        }
        answer => answer,
    }
}

async fn list(
    visitor: &Visitor,
    member: &Member,
    notice: Option<&'static str>,
    errors: Errors,
) -> Result<Response, Problem> {
    let enrolled = member.factors(visitor).await?;
    let message = ListIdentifiersRequest {
        access_token: member.access_token.clone(),
    };
    let mut users = visitor.state.client.users();
    let answer = users
        .list_identifiers(visitor.context.request(message))
        .await?;
    let status = errors.status();
    let template = Factors {
        page: Page {
            notice,
            ..visitor.account_page(member.name(), errors)
        },
        words: visitor.words,
        code_addresses: code_addresses(&answer.into_inner().identifiers, &enrolled.factors),
        factors: enrolled.factors.into_iter().map(row).collect(),
        recovery_codes_left: enrolled.remaining_recovery_codes,
        unreadable_factors: enrolled.unreadable_factors,
        can_passkey: passkey_options::options(visitor).await.is_some(),
    };
    Ok(render(status, &template))
}

fn row(factor: Factor) -> FactorRow {
    FactorRow {
        kind: kind_name(factor.kind()),
        id: factor.factor_id,
        label: factor.label,
        masked_address: factor.masked_address,
        created_at: Moment::new(factor.create_time),
    }
}

/// Its name in the contract, as the templates know it.
fn kind_name(kind: FactorKind) -> &'static str {
    let name = kind.as_str_name();
    name.strip_prefix("FACTOR_KIND_").unwrap_or(name)
}

/// The addresses that may become factors. Of a factor no more is known than a part of its address: where that fits
/// several addresses, all of them are offered until each is a factor.
fn code_addresses(identifiers: &[Identifier], factors: &[Factor]) -> Vec<CodeAddress> {
    let addresses = identifiers.iter().filter_map(|identifier| {
        let (value, kind) = match identifier.value.as_ref()? {
            Kind::Email(text) => (text, FactorKind::Email),
            Kind::Phone(text) => (text, FactorKind::Sms),
            Kind::Username(_) => return None,
        };
        Some((value.as_str(), kind))
    });
    let addresses: Vec<(&str, FactorKind)> = addresses.collect();
    let is_free = |(value, kind): &&(&str, FactorKind)| {
        let masks = factors.iter().filter(|factor| factor.kind() == *kind);
        let masks = masks.map(|factor| factor.masked_address.as_str());
        let masks: Vec<&str> = masks.filter(|mask| fits(mask, value)).collect();
        masks.first().is_none_or(|mask| {
            let alike = addresses.iter().filter(|(other, _)| fits(mask, other));
            masks.len() < alike.count()
        })
    };
    let free = addresses.iter().filter(is_free);
    let free = free.map(|(value, kind)| CodeAddress {
        value: (*value).to_owned(),
        kind: kind_name(*kind),
    });
    free.collect()
}

/// Whether it is so much of this address: `m***@example.com` of `mina@example.com`.
fn fits(mask: &str, address: &str) -> bool {
    let (Some(first), Some(last)) = (mask.find('*'), mask.rfind('*')) else {
        return mask == address;
    };
    address.starts_with(&mask[..first]) && address.ends_with(&mask[last + 1..])
}

#[derive(Deserialize)]
struct RemoveForm {}

async fn remove(
    visitor: Visitor,
    Path(factor_id): Path<String>,
    form: Result<Form<RemoveForm>, Problem>,
) -> Response {
    let answer = match form {
        Ok(_) => remove_factor(&visitor, factor_id).await,
        Err(problem) => Err(problem),
    };
    visitor.answer(answer)
}

async fn remove_factor(visitor: &Visitor, factor_id: String) -> Result<Response, Problem> {
    let member = Member::of(visitor).await?;
    let message = RemoveFactorRequest {
        access_token: member.access_token.clone(),
        factor_id,
    };
    let mut factors = visitor.state.client.factors();
    let request = visitor.context.request(message);
    match factors.remove_factor(request).await {
        Ok(_) => Ok(Redirect::to("/profile/factors?done=removed").into_response()),
        Err(status) => refused(visitor, &member, status.into()).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(text: &str) -> Identifier {
        Identifier {
            value: Some(Kind::Email(text.to_owned())),
        }
    }

    fn email_factor(masked_address: &str) -> Factor {
        Factor {
            kind: FactorKind::Email.into(),
            masked_address: masked_address.to_owned(),
            ..Factor::default()
        }
    }

    fn offered(identifiers: &[Identifier], factors: &[Factor]) -> Vec<String> {
        let addresses = code_addresses(identifiers, factors);
        addresses.into_iter().map(|address| address.value).collect()
    }

    #[test]
    fn an_address_that_is_a_factor_is_not_offered() {
        let both = [email("mina@example.com"), email("jun@example.com")];
        assert_eq!(offered(&both, &[]).len(), 2);
        let one = [email_factor("m***@example.com")];
        assert_eq!(offered(&both, &one), ["jun@example.com"]);
    }

    #[test]
    fn of_two_addresses_that_look_alike_both_are_offered_until_both_are_factors() {
        let alike = [email("mina@example.com"), email("min@example.com")];
        let factor = email_factor("m***@example.com");
        assert_eq!(offered(&alike, std::slice::from_ref(&factor)).len(), 2);
        assert!(offered(&alike, &[factor.clone(), factor]).is_empty());
    }
}
