//! Where a person is signed in, and signing out there.

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use countersign_client::proto::person::By;
use countersign_client::proto::{
    ListSessionsRequest, Person, RevokeSessionRequest, RevokeUserSessionsRequest, Session,
};
use http::StatusCode;
use serde::Deserialize;

use super::errors::Errors;
use super::form::Form;
use super::member::Member;
use super::page::{Page, render};
use super::page_query::Query;
use super::times::Moment;
use super::visitor::Visitor;
use super::words::Words;
use crate::cookies;
use crate::problem::Problem;
use crate::url::query;

pub(super) fn routes() -> Router<crate::state::State> {
    Router::new()
        .route("/profile/devices", get(show))
        .route(
            "/profile/devices/{session_id}/sign-out",
            get(back_to_list).post(sign_out),
        )
        .route(
            "/profile/devices/sign-out-all",
            get(back_to_list).post(sign_out_all),
        )
}

#[derive(Template)]
#[template(path = "devices.html")]
struct Devices {
    page: Page,
    words: &'static Words,
    sessions: Vec<Device>,
    next_path: Option<String>,
}

#[derive(Debug)]
struct Device {
    id: String,
    device: String,
    ip_address: String,
    handheld: bool,
    current: bool,
    signed_in_at: Moment,
    last_used_at: Moment,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    page: String,
}

async fn show(visitor: Visitor, Query(asked): Query<Asked>) -> Response {
    let answer = list(&visitor, asked.page).await;
    visitor.answer(answer)
}

/// Leads to the list from the address of a form: after a new sign-in.
async fn back_to_list(visitor: Visitor) -> Response {
    visitor.answer(Ok(Redirect::to("/profile/devices").into_response()))
}

async fn list(visitor: &Visitor, page_token: String) -> Result<Response, Problem> {
    let member = Member::of(visitor).await?;
    let message = ListSessionsRequest {
        person: Some(person(&member)),
        page_size: 0,
        page_token,
    };
    let mut sessions = visitor.state.client.sessions();
    let answer = sessions
        .list_sessions(visitor.context.request(message))
        .await?;
    let answer = answer.into_inner();
    let alive = answer
        .sessions
        .into_iter()
        .filter(|s| s.revoke_time.is_none());
    let next = answer.next_page_token;
    let template = Devices {
        page: visitor.account_page(member.name(), Errors::default()),
        words: visitor.words,
        sessions: alive.map(device).collect(),
        next_path: (!next.is_empty()).then(|| format!("/profile/devices?{}", query("page", &next))),
    };
    Ok(render(StatusCode::OK, &template))
}

fn person(member: &Member) -> Person {
    Person {
        by: Some(By::AccessToken(member.access_token.clone())),
    }
}

fn device(session: Session) -> Device {
    let (device, handheld) = called(&session.user_agent);
    Device {
        id: session.session_id,
        device,
        ip_address: session.ip_address,
        handheld,
        current: session.current,
        signed_in_at: Moment::new(session.create_time),
        last_used_at: Moment::new(session.refresh_time),
    }
}

/// Browser and system of a `User-Agent`, as people call them, and whether it is held in a hand. What is not known is
/// shown as it came.
pub(super) fn called(user_agent: &str) -> (String, bool) {
    let first = |names: &[(&str, &'static str)]| {
        let found = names.iter().find(|(mark, _)| user_agent.contains(mark));
        found.map(|(_, name)| *name)
    };
    // Those that pass for others come before them.
    let browser = first(&[
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser", "Samsung Internet"),
        ("Whale/", "Whale"),
        ("KAKAOTALK", "KakaoTalk"),
        ("Firefox/", "Firefox"),
        ("FxiOS", "Firefox"),
        ("CriOS", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = first(&[
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]);
    let handheld = matches!(system, Some("iPhone" | "iPad" | "Android"));
    let name = match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} · {system}"),
        _ if user_agent.is_empty() => "-".to_owned(),
        _ => user_agent.to_owned(),
    };
    (name, handheld)
}

async fn sign_out(
    visitor: Visitor,
    Path(session_id): Path<String>,
    form: Result<Form<Asked>, Problem>,
) -> Response {
    let answer = match form {
        Ok(_) => revoke(&visitor, session_id).await,
        Err(problem) => Err(problem),
    };
    visitor.answer(answer)
}

async fn revoke(visitor: &Visitor, session_id: String) -> Result<Response, Problem> {
    let member = Member::of(visitor).await?;
    let message = RevokeSessionRequest {
        person: Some(person(&member)),
        session_id,
    };
    let mut sessions = visitor.state.client.sessions();
    sessions
        .revoke_session(visitor.context.request(message))
        .await?;
    Ok(Redirect::to("/profile/devices").into_response())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AllForm {
    keep_current: bool,
}

async fn sign_out_all(visitor: Visitor, form: Result<Form<AllForm>, Problem>) -> Response {
    let answer = match form {
        Ok(Form(form)) => revoke_all(&visitor, form.keep_current).await,
        Err(problem) => Err(problem),
    };
    visitor.answer(answer)
}

async fn revoke_all(visitor: &Visitor, keep_current: bool) -> Result<Response, Problem> {
    let member = Member::of(visitor).await?;
    let message = RevokeUserSessionsRequest {
        person: Some(person(&member)),
        keep_current,
    };
    let mut sessions = visitor.state.client.sessions();
    sessions
        .revoke_user_sessions(visitor.context.request(message))
        .await?;
    if keep_current {
        return Ok(Redirect::to("/profile/devices").into_response());
    }
    let mut response = Redirect::to("/login").into_response();
    cookies::clear(response.headers_mut());
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_called_as_people_call_it() {
        for (user_agent, name, handheld) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 \
                 Safari/537.36 Edg/140.0.0.0",
                "Edge · Windows",
                false,
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari · iPhone",
                true,
            ),
            (
                "Mozilla/5.0 (Linux; Android 15; SM-S921N) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/27.0 \
                 Chrome/125.0.0.0 Mobile Safari/537.36",
                "Samsung Internet · Android",
                true,
            ),
            ("curl/8.5.0", "curl/8.5.0", false),
            ("", "-", false),
        ] {
            assert_eq!(called(user_agent), (name.to_owned(), handheld));
        }
    }
}
