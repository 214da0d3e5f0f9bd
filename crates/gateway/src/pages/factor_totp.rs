//! Setting up an authenticator app: its secret, and a code that the app shows.

use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use countersign_client::proto::{BeginEnrollmentResponse, FactorKind};
use serde::Deserialize;

use super::enrollment::{self, Shown};
use super::errors::Errors;
use super::factors;
use super::form::Form;
use super::member::Member;
use super::page::{Page, render};
use super::visitor::Visitor;
use super::words::Words;
use crate::problem::Problem;

const IMAGE: &str = "data:image/svg+xml;base64,";
const KEY_URI: &str = "otpauth://";

pub(super) fn routes() -> Router<crate::state::State> {
    Router::new().route(
        "/profile/factors/totp",
        get(factors::back_to_list).post(set_up),
    )
}

#[derive(Template)]
#[template(path = "factor_totp.html")]
struct TotpPage {
    page: Page,
    words: &'static Words,
    totp: Totp,
}

/// What the page shows. The service tells it once, so that the form brings it along for another try.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Totp {
    enrollment_id: String,
    qr_code: String,
    secret: String,
    otpauth_uri: String,
}

impl Totp {
    fn new(begun: BeginEnrollmentResponse) -> Self {
        Self {
            enrollment_id: begun.enrollment_id,
            qr_code: format!("{IMAGE}{}", BASE64_STANDARD.encode(begun.qr_code_svg)),
            secret: in_groups(&begun.secret),
            otpauth_uri: begun.otpauth_uri,
        }
    }

    /// Whether its links are such as were made here.
    fn is_sound(&self) -> bool {
        self.qr_code.starts_with(IMAGE) && self.otpauth_uri.starts_with(KEY_URI)
    }
}

/// In groups of four, as people type it.
fn in_groups(secret: &str) -> String {
    let letters: Vec<char> = secret.chars().collect();
    let groups = letters.chunks(4).map(String::from_iter);
    groups.collect::<Vec<String>>().join(" ")
}

#[derive(Debug, Deserialize)]
struct TotpForm {
    #[serde(flatten)]
    totp: Totp,
    /// None before the page was shown.
    code: Option<String>,
}

async fn set_up(visitor: Visitor, form: Result<Form<TotpForm>, Problem>) -> Response {
    let answer = match form {
        Ok(Form(form)) => step(&visitor, form).await,
        Err(problem) => Err(problem),
    };
    visitor.answer(answer)
}

async fn step(visitor: &Visitor, form: TotpForm) -> Result<Response, Problem> {
    let member = Member::of(visitor).await?;
    let Some(code) = form.code else {
        let begun = enrollment::begin(visitor, &member, FactorKind::Totp, String::new(), None);
        return match begun.await {
            Ok(begun) => Ok(page(visitor, &member, Totp::new(begun), Errors::default())),
            Err(problem) => factors::refused(visitor, &member, problem).await,
        };
    };
    let totp = form.totp;
    let shown = Shown::Code(code);
    match enrollment::confirm(visitor, &member, totp.enrollment_id.clone(), shown).await {
        Err(problem) if enrollment::can_try_again(&problem) && totp.is_sound() => {
            Ok(page(visitor, &member, totp, visitor.errors(&problem)))
        }
        Err(problem) => factors::refused(visitor, &member, problem).await,
        answer => answer,
    }
}

fn page(visitor: &Visitor, member: &Member, totp: Totp, errors: Errors) -> Response {
    let status = errors.status();
    let template = TotpPage {
        page: visitor.account_page(member.name(), errors),
        words: visitor.words,
        totp,
    };
    render(status, &template)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_shown_in_groups_of_four() {
        assert_eq!(in_groups("ABCDEFGHIJ"), "ABCD EFGH IJ");
    }

    #[test]
    fn only_links_of_the_kinds_that_were_made_are_shown_again() {
        let mut totp = Totp {
            qr_code: "data:image/svg+xml;base64,PHN2Zz4=".to_owned(),
            otpauth_uri: "otpauth://totp/x".to_owned(),
            ..Totp::default()
        };
        assert!(totp.is_sound());
        totp.otpauth_uri = "javascript:alert(1)".to_owned();
        assert!(!totp.is_sound());
    }
}
