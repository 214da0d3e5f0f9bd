//! The pages that ask before an account is suspended, reinstated, withdrawn, deleted or signed out everywhere. Each
//! names the user; what is hard to take back needs a tick, or an identifier typed once more.

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use countersign_client::proto::{
    DeleteUserRequest, ReinstateUserRequest, RevokeUserSessionsRequest, SuspendUserRequest, User,
    WithdrawUserRequest,
};
use countersign_client::{Clock as _, SystemClock};
use prost_types::Timestamp;
use serde::Deserialize;

use super::action::Action;
use super::facts::{Facts, path_of, text};
use super::operator::{Operator, nothing_here};
use super::refusals;
use super::sessions::person;
use super::suspension;
use super::typed::version;
use crate::pages::errors::Errors;
use crate::pages::form::Form;
use crate::pages::page::{Page, render};
use crate::pages::reauthenticate::confirm_first;
use crate::pages::visitor::Visitor;
use crate::pages::words::{ActionWords, OperatorWords, Words};
use crate::problem::Problem;

pub(super) fn routes() -> Router<crate::state::State> {
    Router::new().route("/users/{user_id}/{action}", get(show).post(send))
}

#[derive(Template)]
#[template(path = "user_action.html")]
struct Confirm {
    page: Page,
    words: &'static Words,
    terms: &'static OperatorWords,
    user: Facts,
    identifiers: Vec<String>,
    action: Action,
    says: ActionWords,
    typed: Typed,
    /// What has to be typed once more.
    expected: String,
    /// Whether it is the operator's own account, which is spared.
    spared: bool,
    confirm_path: Option<String>,
}

/// What the forms hold.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Typed {
    etag: String,
    reason: String,
    /// `time`, or for good.
    end: String,
    until: String,
    utc_offset: String,
    understood: bool,
    identifier: String,
}

async fn show(visitor: Visitor, Path((user_id, action)): Path<(String, String)>) -> Response {
    let answer = ask(&visitor, &user_id, &action).await;
    visitor.answer(answer)
}

async fn ask(visitor: &Visitor, user_id: &str, action: &str) -> Result<Response, Problem> {
    let operator = Operator::of(visitor).await?;
    let action = Action::of_name(action).ok_or_else(nothing_here)?;
    let user = operator.user(visitor, user_id).await?;
    if let Err(problem) = operator.confirmed(visitor).await {
        let place = format!("{}/{}", path_of(&user.user_id), action.name());
        return confirm_first(problem, &place);
    }
    let mut typed = Typed {
        etag: user.etag.clone(),
        ..Typed::default()
    };
    if let Some(suspension) = &user.suspension {
        typed.reason.clone_from(&suspension.reason);
        if let Some(end) = suspension.end_time {
            typed.end = "time".to_owned();
            typed.until = suspension::utc(end);
            typed.utc_offset = "0".to_owned();
        }
    }
    let asking = Asking {
        operator: &operator,
        user: &user,
        action,
    };
    Ok(asking.page(visitor, typed, Errors::default(), false))
}

/// Who asks for what.
struct Asking<'a> {
    operator: &'a Operator,
    user: &'a User,
    action: Action,
}

impl Asking<'_> {
    fn page(
        &self,
        visitor: &Visitor,
        typed: Typed,
        mut errors: Errors,
        must_confirm: bool,
    ) -> Response {
        let terms = visitor.words.for_operators;
        let spared = self.is_spared();
        if spared {
            errors = Errors::message(terms.own_account.to_owned());
        } else if !self.action.fits(self.user) && !errors.any() {
            errors = Errors::message(terms.state_conflict.to_owned());
        }
        let status = errors.status();
        let identifiers = self.user.identifiers.iter().filter_map(text);
        let template = Confirm {
            page: self.operator.page(visitor, errors),
            words: visitor.words,
            terms,
            user: Facts::new(self.user, terms),
            identifiers: identifiers.map(str::to_owned).collect(),
            action: self.action,
            says: self.action.terms(terms),
            typed,
            expected: expected(self.user).to_owned(),
            spared: spared || !self.action.fits(self.user),
            confirm_path: must_confirm
                .then(|| refusals::confirm_path(&path_of(&self.user.user_id))),
        };
        render(status, &template)
    }

    fn is_spared(&self) -> bool {
        self.operator.is_self(self.user) && !self.action.is_for_oneself()
    }

    /// What is missing in the form.
    fn missing(&self, typed: &Typed, terms: &'static OperatorWords) -> Errors {
        match self.action {
            Action::Withdraw if !typed.understood => {
                Errors::field("understood", terms.understood_missing)
            }
            Action::Delete if !is_typed(&typed.identifier, expected(self.user)) => {
                Errors::field("identifier", terms.identifier_differs)
            }
            Action::Suspend => match typed.end() {
                Some(Some(end)) if end.seconds <= Timestamp::from(SystemClock.now()).seconds => {
                    Errors::field("until", terms.until_invalid)
                }
                None => Errors::field("until", terms.until_invalid),
                _ => Errors::default(),
            },
            _ => Errors::default(),
        }
    }

    async fn carry_out(&self, visitor: &Visitor, typed: &Typed) -> Result<(), Problem> {
        self.operator.confirmed(visitor).await?;
        let user_id = self.user.user_id.clone();
        let etag = version(&typed.etag);
        let mut users = self.operator.client().users();
        match self.action {
            Action::SignOut => {
                let message = RevokeUserSessionsRequest {
                    person: Some(person(self.user)),
                    keep_current: false,
                };
                let request = self.operator.request(visitor, message);
                let mut sessions = self.operator.client().sessions();
                sessions.revoke_user_sessions(request).await?;
            }
            Action::Suspend => {
                let message = SuspendUserRequest {
                    user_id,
                    etag,
                    reason: typed.reason.trim().to_owned(),
                    end_time: typed.end().flatten(),
                };
                let request = self.operator.request(visitor, message);
                users.suspend_user(request).await?;
            }
            Action::Reinstate => {
                let message = ReinstateUserRequest { user_id, etag };
                let request = self.operator.request(visitor, message);
                users.reinstate_user(request).await?;
            }
            Action::Withdraw => {
                let message = WithdrawUserRequest { user_id, etag };
                let request = self.operator.request(visitor, message);
                users.withdraw_user(request).await?;
            }
            Action::Delete => {
                let message = DeleteUserRequest { user_id, etag };
                let request = self.operator.request(visitor, message);
                users.delete_user(request).await?;
            }
        }
        Ok(())
    }
}

impl Typed {
    /// When the suspension ends: never is `Some(None)`, what is no time `None`.
    fn end(&self) -> Option<Option<Timestamp>> {
        match self.end.as_str() {
            "good" => Some(None),
            "time" => suspension::instant(&self.until, &self.utc_offset).map(Some),
            _ => None,
        }
    }
}

/// What names the user: an identifier, or the id of one who has none.
fn expected(user: &User) -> &str {
    let first = user.identifiers.iter().find_map(text);
    first.unwrap_or(&user.user_id)
}

fn is_typed(typed: &str, expected: &str) -> bool {
    typed.trim().to_lowercase() == expected.to_lowercase()
}

async fn send(
    visitor: Visitor,
    Path((user_id, action)): Path<(String, String)>,
    form: Result<Form<Typed>, Problem>,
) -> Response {
    let answer = match form {
        Ok(Form(typed)) => act(&visitor, &user_id, &action, typed).await,
        Err(problem) => Err(problem),
    };
    visitor.answer(answer)
}

async fn act(
    visitor: &Visitor,
    user_id: &str,
    action: &str,
    mut typed: Typed,
) -> Result<Response, Problem> {
    let operator = Operator::of(visitor).await?;
    let action = Action::of_name(action).ok_or_else(nothing_here)?;
    let mut user = operator.user(visitor, user_id).await?;
    let asking = Asking {
        operator: &operator,
        user: &user,
        action,
    };
    let missing = asking.missing(&typed, visitor.words.for_operators);
    if asking.is_spared() || missing.any() {
        return Ok(asking.page(visitor, typed, missing, false));
    }
    let problem = match asking.carry_out(visitor, &typed).await {
        Ok(()) => {
            let path = match action {
                Action::Delete => "/users?done=deleted".to_owned(),
                _ => format!("{}?done={}", path_of(&user.user_id), action.name()),
            };
            return Ok(Redirect::to(&path).into_response());
        }
        Err(problem) if problem.is_for_page() => problem,
        Err(problem) => return Err(problem),
    };
    if problem.reason == "ETAG_MISMATCH" {
        user = operator.user(visitor, user_id).await?;
        typed.etag.clone_from(&user.etag);
    }
    let asking = Asking {
        operator: &operator,
        user: &user,
        action,
    };
    let errors = refusals::errors(&problem, visitor.words);
    let must_confirm = refusals::asks_to_confirm(&problem);
    Ok(asking.page(visitor, typed, errors, must_confirm))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_once_more_is_compared_without_spaces_and_case() {
        assert!(is_typed(" Mina@Example.com ", "mina@example.com"));
        for typed in ["", "mina", "mina@example.co"] {
            assert!(!is_typed(typed, "mina@example.com"));
        }
        let nameless = User {
            user_id: "7".to_owned(),
            ..User::default()
        };
        assert_eq!(expected(&nameless), "7");
    }

    #[test]
    fn a_suspension_is_for_good_or_until_a_time() {
        let mut typed = Typed::default();
        assert_eq!(typed.end(), None);
        typed.end = "good".to_owned();
        assert_eq!(typed.end(), Some(None));
        typed.end = "time".to_owned();
        assert_eq!(typed.end(), None);
        typed.until = "2030-01-01T00:00".to_owned();
        assert!(typed.end().flatten().is_some());
    }
}
