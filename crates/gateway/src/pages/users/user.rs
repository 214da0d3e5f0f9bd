//! All about one user: what it is and may, where it is signed in, what was done to it, and what can be done.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query};
use axum::response::Response;
use axum::routing::get;
use countersign_client::proto::User;
use countersign_client::proto::identifier::Value as Kind;
use http::StatusCode;
use serde::Deserialize;

use super::action::Action;
use super::audit::{self, Entry};
use super::facts::{Facts, path_of};
use super::operator::Operator;
use super::sessions::{self, Device};
use super::{attributes, facts};
use crate::pages::errors::Errors;
use crate::pages::page::{Page, render};
use crate::pages::times::Moment;
use crate::pages::visitor::Visitor;
use crate::pages::words::{OperatorWords, Words};
use crate::problem::Problem;
use crate::url::query;

pub(super) fn routes() -> Router<crate::state::State> {
    Router::new().route("/users/{user_id}", get(show))
}

#[derive(Template)]
#[template(path = "user.html")]
struct UserPage {
    page: Page,
    words: &'static Words,
    terms: &'static OperatorWords,
    user: Facts,
    identifiers: Vec<Known>,
    /// What is plain text: the word for it, and the text.
    facts: Vec<(&'static str, String)>,
    roles: Vec<String>,
    scopes: Vec<String>,
    attributes: String,
    updated_at: Moment,
    suspension: Option<Suspended>,
    withdrawal: Option<Left>,
    devices: Vec<Device>,
    more_devices: Option<String>,
    events: Vec<Entry>,
    first_events: Option<String>,
    more_events: Option<String>,
    actions: Vec<Offer>,
    is_self: bool,
}

/// What the user signs in with.
#[derive(Debug)]
struct Known {
    icon: &'static str,
    text: String,
}

#[derive(Debug)]
struct Suspended {
    reason: String,
    since: Moment,
    until: Option<Moment>,
}

#[derive(Debug)]
struct Left {
    at: Moment,
    rejoin_at: Moment,
}

/// An action that is offered.
#[derive(Debug)]
struct Offer {
    path: String,
    text: &'static str,
    dangerous: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    done: String,
    /// Where the page of sessions starts.
    sessions: String,
    /// Where the page of the audit log starts.
    events: String,
}

async fn show(
    visitor: Visitor,
    Path(user_id): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let answer = page(&visitor, &user_id, asked).await;
    visitor.answer(answer)
}

async fn page(visitor: &Visitor, user_id: &str, asked: Asked) -> Result<Response, Problem> {
    let operator = Operator::of(visitor).await?;
    let user = operator.user(visitor, user_id).await?;
    let (devices, next_devices) =
        sessions::page(&operator, visitor, &user, asked.sessions.clone()).await?;
    let (events, next_events) =
        audit::page(&operator, visitor, &user, asked.events.clone()).await?;
    let terms = visitor.words.for_operators;
    let path = path_of(&user.user_id);
    let further = |name: &str, token: &str, place: &str| {
        (!token.is_empty()).then(|| format!("{path}?{}#{place}", query(name, token)))
    };
    let is_self = operator.is_self(&user);
    let template = UserPage {
        page: Page {
            notice: done(&asked.done, terms),
            ..operator.page(visitor, Errors::default())
        },
        words: visitor.words,
        terms,
        identifiers: known(&user),
        facts: plain_facts(&user, visitor.words),
        attributes: attributes::text(user.profile.as_ref().and_then(|p| p.attributes.as_ref())),
        updated_at: Moment::new(user.update_time),
        suspension: user.suspension.as_ref().map(|suspension| Suspended {
            reason: suspension.reason.clone(),
            since: Moment::new(suspension.start_time),
            until: suspension.end_time.map(|end| Moment::new(Some(end))),
        }),
        withdrawal: user.withdrawal.as_ref().map(|withdrawal| Left {
            at: Moment::new(withdrawal.withdraw_time),
            rejoin_at: Moment::new(withdrawal.rejoin_time),
        }),
        more_devices: further("sessions", &next_devices, "sessions"),
        devices,
        first_events: (!asked.events.is_empty()).then(|| format!("{path}#events")),
        more_events: further("events", &next_events, "events"),
        events,
        actions: offers(&user, is_self, terms),
        is_self,
        user: Facts::new(&user, terms),
        roles: user.roles,
        scopes: user.scopes,
    };
    Ok(render(StatusCode::OK, &template))
}

/// What was just done.
fn done(name: &str, terms: &'static OperatorWords) -> Option<&'static str> {
    match name {
        "created" => Some(terms.done_created),
        "saved" => Some(terms.done_saved),
        "session" => Some(terms.done_session),
        name => Action::of_name(name).map(|action| action.terms(terms).done),
    }
}

fn known(user: &User) -> Vec<Known> {
    let known = user.identifiers.iter().filter_map(|identifier| {
        let icon = match identifier.value.as_ref()? {
            Kind::Email(_) => "EMAIL",
            Kind::Phone(_) => "SMS",
            Kind::Username(_) => "USERNAME",
        };
        let text = facts::text(identifier)?.to_owned();
        Some(Known { icon, text })
    });
    known.collect()
}

/// What there is of what may be absent.
fn plain_facts(user: &User, words: &'static Words) -> Vec<(&'static str, String)> {
    let terms = words.for_operators;
    let profile = user.profile.clone().unwrap_or_default();
    let facts = [
        (words.display_name, profile.name),
        (words.language, profile.locale),
        (words.time_zone, profile.time_zone),
        (terms.group, user.group_id.clone()),
        (terms.external_id, user.external_id.clone()),
    ];
    let given = facts.into_iter().filter(|(_, text)| !text.is_empty());
    given.collect()
}

fn offers(user: &User, is_self: bool, terms: &'static OperatorWords) -> Vec<Offer> {
    let fitting = Action::ALL.into_iter().filter(|action| {
        let is_spared = is_self && !action.is_for_oneself();
        action.fits(user) && !is_spared
    });
    let offers = fitting.map(|action| Offer {
        path: format!("{}/{}", path_of(&user.user_id), action.name()),
        text: action.terms(terms).button,
        dangerous: action.is_dangerous(),
    });
    offers.collect()
}
