//! Where a user is signed in, and signing it out there.

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use countersign_client::proto::person::By;
use countersign_client::proto::{ListSessionsRequest, Person, RevokeSessionRequest, Session, User};
use serde::Deserialize;

use super::facts::path_of;
use super::operator::Operator;
use crate::pages::devices::called;
use crate::pages::form::Form;
use crate::pages::reauthenticate::confirm_first;
use crate::pages::times::Moment;
use crate::pages::visitor::Visitor;
use crate::problem::Problem;

/// How many sessions are on a page.
const PAGE_SIZE: i32 = 5;

pub(super) fn routes() -> Router<crate::state::State> {
    Router::new().route("/users/{user_id}/sessions", get(back).post(sign_out))
}

/// A session in the list.
#[derive(Debug)]
pub(super) struct Device {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) ip_address: String,
    pub(super) signed_in_at: Moment,
    pub(super) last_used_at: Moment,
}

/// One page of the live sessions of a user, and the token of the next one.
///
/// # Errors
/// What the service says.
pub(super) async fn page(
    operator: &Operator,
    visitor: &Visitor,
    user: &User,
    page_token: String,
) -> Result<(Vec<Device>, String), Problem> {
    let message = ListSessionsRequest {
        person: Some(person(user)),
        page_size: PAGE_SIZE,
        page_token,
    };
    let request = operator.request(visitor, message);
    let answer = operator.client().sessions().list_sessions(request).await?;
    let answer = answer.into_inner();
    let alive = answer
        .sessions
        .into_iter()
        .filter(|session| session.revoke_time.is_none());
    Ok((alive.map(device).collect(), answer.next_page_token))
}

/// The user as those calls name it that are for people, too.
pub(super) fn person(user: &User) -> Person {
    Person {
        by: Some(By::UserId(user.user_id.clone())),
    }
}

fn device(session: Session) -> Device {
    let (name, _) = called(&session.user_agent);
    Device {
        id: session.session_id,
        name,
        ip_address: session.ip_address,
        signed_in_at: Moment::new(session.create_time),
        last_used_at: Moment::new(session.refresh_time),
    }
}

/// Leads to the user from the address of the form: after a new sign-in.
async fn back(visitor: Visitor, Path(user_id): Path<String>) -> Response {
    let answer = match Operator::of(&visitor).await {
        Ok(operator) => operator.user(&visitor, &user_id).await,
        Err(problem) => Err(problem),
    };
    let answer = answer.map(|user| Redirect::to(&path_of(&user.user_id)).into_response());
    visitor.answer(answer)
}

#[derive(Deserialize)]
struct SignOutForm {
    session_id: String,
}

async fn sign_out(
    visitor: Visitor,
    Path(user_id): Path<String>,
    form: Result<Form<SignOutForm>, Problem>,
) -> Response {
    let answer = match form {
        Ok(Form(form)) => revoke(&visitor, &user_id, form.session_id).await,
        Err(problem) => Err(problem),
    };
    visitor.answer(answer)
}

async fn revoke(visitor: &Visitor, user_id: &str, session_id: String) -> Result<Response, Problem> {
    let operator = Operator::of(visitor).await?;
    let user = operator.user(visitor, user_id).await?;
    let path = path_of(&user.user_id);
    if let Err(problem) = operator.confirmed(visitor).await {
        return confirm_first(problem, &path);
    }
    let message = RevokeSessionRequest {
        person: Some(person(&user)),
        session_id,
    };
    let request = operator.request(visitor, message);
    operator.client().sessions().revoke_session(request).await?;
    Ok(Redirect::to(&format!("{path}?done=session")).into_response())
}
