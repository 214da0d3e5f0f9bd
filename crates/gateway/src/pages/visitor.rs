//! Who looks at a page: the language, the browser's token for forms, and from where.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse as _, Redirect, Response};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::header::CACHE_CONTROL;
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use serde::Deserialize;

use super::csrf::CsrfToken;
use super::errors::Errors;
use super::language::Language;
use super::page::{Brand, Page, SignedIn, render};
use super::words::Words;
use crate::context::Context;
use crate::cookies;
use crate::problem::Problem;
use crate::state::State;
use crate::url::query;

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const A_YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Somebody who looks at a page.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    pub(super) state: State,
    pub(super) context: Context,
    pub(super) words: &'static Words,
    pub(super) access_token: Option<String>,
    pub(super) device_token: String,
    pub(super) csrf: CsrfToken,
    language: Language,
    chooses_language: bool,
    /// The path and the query, without the choice of a language.
    pub(super) place: String,
}

impl Visitor {
    /// What every page has, of a page with these errors.
    pub(super) fn page(&self, errors: Errors) -> Page {
        let other = self.language.other().tag();
        let brand = &self.state.settings.brand;
        let mark = if self.place.contains('?') { '&' } else { '?' };
        Page {
            language: self.language.tag(),
            theme: None,
            brand: Brand {
                name: self.state.settings.product_name.clone(),
                logo: brand.logo.as_ref().map(|_| "/assets/logo"),
                has_color: brand.color.is_some(),
            },
            path_in_other_language: format!("{}{mark}lang={other}", self.place),
            csrf_token: self.csrf.value.clone(),
            signed_in: None,
            notice: None,
            errors,
        }
    }

    /// The same for somebody who is signed in.
    pub(super) fn account_page(&self, name: &str, errors: Errors) -> Page {
        Page {
            signed_in: Some(SignedIn {
                name: name.to_owned(),
                operator: self.may_be_operator(),
            }),
            ..self.page(errors)
        }
    }

    /// Whether the token says that its person looks after users. It is looked at for the link alone, and not verified.
    fn may_be_operator(&self) -> bool {
        let operators = self.state.settings.operators.as_ref();
        let token = self.access_token.as_deref();
        let roles = token.and_then(unverified_roles).unwrap_or_default();
        operators.is_some_and(|operators| roles.contains(&operators.role))
    }

    /// What is wrong, in the page's words.
    pub(super) fn errors(&self, problem: &Problem) -> Errors {
        Errors::new(problem, self.words)
    }

    /// The answer, with the cookies of the visitor. Whose access token has expired renews it and comes back.
    pub(super) fn answer(&self, answer: Result<Response, Problem>) -> Response {
        let mut response = match answer {
            Ok(response) => response,
            Err(problem) if is_signed_out(&problem) => {
                let path = format!("/session/renew?{}", query("return_to", &self.place));
                Redirect::temporary(&path).into_response()
            }
            Err(problem) => self.trouble(&problem),
        };
        let headers = response.headers_mut();
        if self.csrf.is_new {
            cookies::set(headers, cookies::CSRF, &self.csrf.value, "/", A_YEAR);
        }
        if self.chooses_language {
            cookies::set(headers, cookies::LANGUAGE, self.language.tag(), "/", A_YEAR);
        }
        headers.insert(CACHE_CONTROL, NO_STORE);
        response
    }

    /// A page of its own for what went wrong.
    fn trouble(&self, problem: &Problem) -> Response {
        let (title, message) = match problem.status {
            StatusCode::NOT_FOUND => (self.words.not_found, self.words.not_found_lead.to_owned()),
            status if status.is_server_error() => {
                (self.words.trouble, self.words.trouble_lead.to_owned())
            }
            _ => (self.words.refused, problem.detail.clone()),
        };
        let template = Trouble {
            page: self.page(Errors::default()),
            words: self.words,
            title,
            message,
            path: "/",
            link: self.words.back_to_start,
            request_id: None,
        };
        let mut response = render(problem.status, &template);
        if let Some(pause) = problem.retry_after {
            response
                .headers_mut()
                .insert(http::header::RETRY_AFTER, pause.as_secs().max(1).into());
        }
        response
    }
}

#[derive(askama::Template)]
#[template(path = "error.html")]
struct Trouble {
    page: Page,
    words: &'static Words,
    title: &'static str,
    message: String,
    path: &'static str,
    link: &'static str,
    request_id: Option<String>,
}

/// The roles that a JWT claims.
fn unverified_roles(token: &str) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    struct Claims {
        roles: Vec<String>,
    }
    let payload = token.split('.').nth(1)?;
    let payload = BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?;
    let claims: Claims = serde_json::from_slice(&payload).ok()?;
    Some(claims.roles)
}

/// Whether all that lacks is a good access token.
fn is_signed_out(problem: &Problem) -> bool {
    problem.status == StatusCode::UNAUTHORIZED
}

impl FromRequestParts<State> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Infallible> {
        let context = Context::from_request_parts(parts, state).await?;
        let headers = &parts.headers;
        let (place, chosen) = without_language(parts.uri.path(), parts.uri.query());
        let language = chosen.unwrap_or_else(|| Language::of(headers));
        let read = |name| cookies::read(headers, name).map(str::to_owned);
        Ok(Self {
            state: state.clone(),
            context: context.in_language(language.tag()),
            words: language.words(),
            access_token: read(cookies::ACCESS),
            device_token: read(cookies::DEVICE).unwrap_or_default(),
            csrf: CsrfToken::of(cookies::read(headers, cookies::CSRF)),
            language,
            chooses_language: chosen.is_some(),
            place,
        })
    }
}

/// The place, and the language that is chosen in its query.
fn without_language(path: &str, query: Option<&str>) -> (String, Option<Language>) {
    let mut chosen = None;
    let pairs = query.into_iter().flat_map(|query| query.split('&'));
    let rest: Vec<&str> = pairs
        .filter(|pair| match pair.strip_prefix("lang=") {
            Some(tag) => {
                chosen = Language::of_tag(tag);
                false
            }
            None => !pair.is_empty(),
        })
        .collect();
    if rest.is_empty() {
        return (path.to_owned(), chosen);
    }
    (format!("{path}?{}", rest.join("&")), chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_for_operators_goes_by_the_roles_of_the_token() {
        let token = |payload: &str| format!("e30.{}.x", BASE64_URL_SAFE_NO_PAD.encode(payload));
        let roles = unverified_roles(&token(r#"{"roles":["a","b"]}"#));
        assert_eq!(roles, Some(vec!["a".to_owned(), "b".to_owned()]));
        for text in [&token("{}"), &token("[]"), "", "a.b", "csk_x"] {
            assert_eq!(unverified_roles(text), None, "{text}");
        }
    }

    #[test]
    fn the_choice_of_a_language_is_no_part_of_the_place() {
        let korean = Some(Language::Korean);
        for (query, place, chosen) in [
            (None, "/login", None),
            (Some("lang=ko"), "/login", korean),
            (
                Some("return_to=%2Fa&lang=ko"),
                "/login?return_to=%2Fa",
                korean,
            ),
            (Some("lang=fr&a=b"), "/login?a=b", None),
        ] {
            let found = without_language("/login", query);
            assert_eq!(found, (place.to_owned(), chosen));
        }
    }
}
