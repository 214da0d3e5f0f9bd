//! The page to which a link leads that was sent in place of a code. Opening it spends nothing: the person presses a
//! button first.

use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;
use countersign_client::proto::check_code_request::Verification as Named;
use countersign_client::proto::issue_tokens_request::Grant;
use countersign_client::proto::{
    CheckCodeRequest, GetVerificationRequest, Purpose, VerifiedCodeGrant,
};
use serde::Deserialize;

use super::errors::Errors;
use super::forgotten::new_password;
use super::form::Form;
use super::page::{Page, render};
use super::sign_in::{issue, signed_in};
use super::sign_up;
use super::visitor::Visitor;
use super::words::Words;
use crate::problem::Problem;

pub(super) fn routes() -> Router<crate::state::State> {
    Router::new().route("/confirm", get(show).post(confirm))
}

#[derive(Template)]
#[template(path = "confirm.html")]
struct Confirm {
    page: Page,
    words: &'static Words,
    action: &'static str,
    undo: bool,
}

/// A link of a message, or the token behind its `#`.
#[derive(Debug, Deserialize)]
pub(super) struct LinkForm {
    link_token: String,
}

impl LinkForm {
    /// What stands behind `#`.
    pub(super) fn token(&self) -> &str {
        let link = self.link_token.trim();
        link.rsplit_once('#').map_or(link, |(_, token)| token)
    }
}

async fn show(visitor: Visitor) -> Response {
    let page = page(&visitor, "/confirm", false, Errors::default());
    visitor.answer(Ok(page))
}

/// The page that asks for the button to be pressed.
pub(super) fn page(
    visitor: &Visitor,
    action: &'static str,
    undo: bool,
    errors: Errors,
) -> Response {
    let status = errors.status();
    let template = Confirm {
        page: visitor.page(errors),
        words: visitor.words,
        action,
        undo,
    };
    render(status, &template)
}

async fn confirm(visitor: Visitor, form: Result<Form<LinkForm>, Problem>) -> Response {
    let answer = match form {
        Ok(Form(form)) => follow(&visitor, form.token()).await,
        Err(problem) => Err(problem),
    };
    let answer = match answer {
        Err(problem) if problem.status.is_client_error() => {
            let errors = match problem.reason {
                "VERIFICATION_NOT_FOUND" => Errors::field("link_token", visitor.words.link_invalid),
                _ => visitor.errors(&problem),
            };
            Ok(page(&visitor, "/confirm", false, errors))
        }
        answer => answer,
    };
    visitor.answer(answer)
}

/// Goes on with what the link was sent for.
async fn follow(visitor: &Visitor, token: &str) -> Result<Response, Problem> {
    match purpose(visitor, token).await? {
        Purpose::SignIn => {
            let proof = proof(visitor, token).await?;
            let grant = Grant::VerifiedCode(VerifiedCodeGrant { proof });
            let answer = issue(visitor, grant).await?;
            signed_in(visitor, answer, "")
        }
        Purpose::PasswordReset => {
            let proof = proof(visitor, token).await?;
            Ok(new_password(visitor, proof, Errors::default()))
        }
        Purpose::SignUp => {
            let proof = proof(visitor, token).await?;
            Ok(sign_up::finish(visitor, proof).await)
        }
        // No page sends such a link: it belongs to another program, which can still use it.
        Purpose::ChangeIdentifier | Purpose::Unspecified => {
            Err(Problem::field("link_token", "is for something else"))
        }
    }
}

/// What the link was sent for. Asking spends nothing.
async fn purpose(visitor: &Visitor, token: &str) -> Result<Purpose, Problem> {
    let message = GetVerificationRequest {
        verification_id: String::new(),
        link_token: token.to_owned(),
    };
    let mut verifications = visitor.state.client.verifications();
    let answer = verifications
        .get_verification(visitor.context.request(message))
        .await?;
    let verification = answer.into_inner().verification;
    let verification = verification.ok_or_else(|| Problem::incomplete("verification"))?;
    Ok(verification.purpose())
}

async fn proof(visitor: &Visitor, token: &str) -> Result<String, Problem> {
    let message = CheckCodeRequest {
        verification: Some(Named::LinkToken(token.to_owned())),
        code: String::new(),
    };
    let mut verifications = visitor.state.client.verifications();
    let answer = verifications
        .check_code(visitor.context.request(message))
        .await?;
    Ok(answer.into_inner().proof)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_what_stands_behind_the_last_hash() {
        for (typed, token) in [
            ("https://login.example/confirm#abc", "abc"),
            (" abc ", "abc"),
            ("https://login.example/#/confirm#abc\n", "abc"),
            ("", ""),
        ] {
            let form = LinkForm {
                link_token: typed.to_owned(),
            };
            assert_eq!(form.token(), token);
        }
    }
}
