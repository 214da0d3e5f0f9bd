//! What every page has, and how a page is answered.

use askama::Template;
use axum::response::{Html, IntoResponse as _, Response};
use http::StatusCode;

use super::errors::Errors;
use crate::problem::Problem;

/// What every page has.
#[derive(Debug)]
pub(super) struct Page {
    /// `ko` or `en`.
    pub(super) language: &'static str,
    /// `light` or `dark`; as the device says if absent.
    pub(super) theme: Option<&'static str>,
    pub(super) brand: Brand,
    /// This page in the other language.
    pub(super) path_in_other_language: String,
    pub(super) csrf_token: String,
    pub(super) signed_in: Option<SignedIn>,
    /// What was just done.
    pub(super) notice: Option<&'static str>,
    pub(super) errors: Errors,
}

/// Whose pages they are.
#[derive(Debug)]
pub(super) struct Brand {
    pub(super) name: String,
    pub(super) logo: Option<&'static str>,
    /// Whether it has a colour of its own.
    pub(super) has_color: bool,
}

/// Who is signed in.
#[derive(Debug)]
pub(super) struct SignedIn {
    pub(super) name: String,
    pub(super) operator: bool,
}

/// Renders a page.
pub(super) fn render(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            Problem::incomplete("page").into_response()
        }
    }
}
