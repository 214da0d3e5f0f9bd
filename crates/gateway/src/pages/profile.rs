//! What a person says of itself.

use askama::Template;
use axum::Router;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use countersign_client::proto::{
    ListIdentifiersRequest, Profile, UpdateProfileRequest, identifier::Value as Kind,
};
use countersign_client::{Requirement, VerifyToken as _};
use http::StatusCode;
use prost_types::FieldMask;
use serde::Deserialize;

use super::errors::Errors;
use super::form::Form;
use super::member::Member;
use super::page::{Page, render};
use super::page_query::Query;
use super::providers::providers_to_link;
use super::visitor::Visitor;
use super::words::Words;
use crate::problem::Problem;

pub(super) fn routes() -> Router<crate::state::State> {
    Router::new().route("/profile", get(show).post(update))
}

#[derive(Template)]
#[template(path = "profile.html")]
struct ProfilePage {
    page: Page,
    words: &'static Words,
    etag: String,
    name: String,
    locales: Vec<Choice>,
    time_zone: String,
    username: Option<String>,
    addresses: Vec<String>,
    roles: Vec<String>,
    user_id: String,
    /// Whether people sign in with accounts at other services.
    has_providers: bool,
}

/// One of several values.
#[derive(Debug)]
struct Choice {
    value: &'static str,
    text: &'static str,
    selected: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Done {
    done: String,
}

async fn show(visitor: Visitor, Query(done): Query<Done>) -> Response {
    let notice = match done.done.as_str() {
        "profile" => Some(visitor.words.profile_saved),
        "password" => Some(visitor.words.password_changed),
        _ => None,
    };
    let answer = match Member::of(&visitor).await {
        Ok(member) => page(&visitor, member, notice, Errors::default()).await,
        Err(problem) => Err(problem),
    };
    visitor.answer(answer)
}

async fn page(
    visitor: &Visitor,
    member: Member,
    notice: Option<&'static str>,
    errors: Errors,
) -> Result<Response, Problem> {
    let token = member.access_token.as_str();
    let claims = visitor
        .state
        .client
        .verify(token, &Requirement::new())
        .await?;
    let message = ListIdentifiersRequest {
        access_token: token.to_owned(),
    };
    let mut users = visitor.state.client.users();
    let answer = users
        .list_identifiers(visitor.context.request(message))
        .await?;
    let (mut username, mut addresses) = (None, Vec::new());
    for identifier in answer.into_inner().identifiers {
        match identifier.value {
            Some(Kind::Email(text) | Kind::Phone(text)) => addresses.push(text),
            Some(Kind::Username(text)) => username = Some(text),
            None => {}
        }
    }
    let status = errors.status();
    let locale = member.profile.locale.as_str();
    let choice = |value: &'static str, text: &'static str| Choice {
        value,
        text,
        selected: locale == value,
    };
    let mut locales = vec![
        choice("", visitor.words.none),
        choice("ko", "한국어"),
        choice("en", "English"),
    ];
    if locales.iter().all(|choice| !choice.selected) {
        // One that another page has set stays as it is.
        locales[0].selected = true;
    }
    let template = ProfilePage {
        has_providers: !providers_to_link(visitor).await.is_empty(),
        page: Page {
            notice,
            ..visitor.account_page(member.name(), errors)
        },
        words: visitor.words,
        name: member.profile.name.clone(),
        etag: member.etag,
        locales,
        time_zone: member.profile.time_zone,
        username,
        addresses,
        roles: claims.roles.clone(),
        user_id: claims.user_id.clone(),
    };
    Ok(render(status, &template))
}

#[derive(Deserialize)]
struct ProfileForm {
    #[serde(default)]
    etag: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    locale: String,
    #[serde(default)]
    time_zone: String,
}

async fn update(visitor: Visitor, form: Result<Form<ProfileForm>, Problem>) -> Response {
    let answer = match form {
        Ok(Form(form)) => save(&visitor, form).await,
        Err(problem) => Err(problem),
    };
    visitor.answer(answer)
}

async fn save(visitor: &Visitor, form: ProfileForm) -> Result<Response, Problem> {
    let mut member = Member::of(visitor).await?;
    let profile = Profile {
        name: form.name.trim().to_owned(),
        locale: form.locale,
        time_zone: form.time_zone.trim().to_owned(),
        attributes: None,
    };
    let paths = ["name", "locale", "time_zone"].map(str::to_owned);
    let message = UpdateProfileRequest {
        access_token: member.access_token.clone(),
        update_mask: Some(FieldMask {
            paths: paths.to_vec(),
        }),
        etag: form.etag,
        profile: Some(profile.clone()),
    };
    let mut users = visitor.state.client.users();
    match users.update_profile(visitor.context.request(message)).await {
        Ok(_) => Ok(Redirect::to("/profile?done=profile").into_response()),
        Err(status) => {
            let problem = Problem::from(status);
            if problem.status.is_server_error() || problem.status == StatusCode::UNAUTHORIZED {
                return Err(problem);
            }
            // What was typed stays.
            member.profile = profile;
            page(visitor, member, None, visitor.errors(&problem)).await
        }
    }
}
