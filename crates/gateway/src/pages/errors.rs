//! What is wrong with a form: in a summary at its top, and beside the fields.

use http::StatusCode;

use super::words::Words;
use crate::problem::Problem;

/// The errors of a page.
#[derive(Debug, Clone, Default)]
pub(super) struct Errors {
    /// What is said of the whole.
    pub(super) message: Option<String>,
    pub(super) fields: Vec<FieldError>,
}

/// An error of one field.
#[derive(Debug, Clone)]
pub(super) struct FieldError {
    /// The id of the input.
    pub(super) field: &'static str,
    pub(super) message: &'static str,
}

impl Errors {
    /// What is said of the whole, alone.
    pub(super) fn message(message: String) -> Self {
        Self {
            message: Some(message),
            fields: Vec::new(),
        }
    }

    /// What is wrong with one field.
    pub(super) fn field(field: &'static str, message: &'static str) -> Self {
        Self {
            message: None,
            fields: vec![FieldError { field, message }],
        }
    }

    /// The status of the page that shows them.
    pub(super) fn status(&self) -> StatusCode {
        if self.any() {
            StatusCode::UNPROCESSABLE_ENTITY
        } else {
            StatusCode::OK
        }
    }

    pub(super) fn any(&self) -> bool {
        self.message.is_some() || !self.fields.is_empty()
    }

    pub(super) fn has_fields(&self) -> bool {
        !self.fields.is_empty()
    }

    pub(super) fn of(&self, field: impl AsRef<str>) -> Option<&'static str> {
        let found = self
            .fields
            .iter()
            .find(|error| error.field == field.as_ref());
        found.map(|error| error.message)
    }

    /// The errors of a refusal: those of fields that the page has, by the page's own words, and otherwise what the
    /// service says to the person.
    pub(super) fn new(problem: &Problem, words: &'static Words) -> Self {
        let mut errors = Self::default();
        for violation in &problem.violations {
            if let Some(error) = field(&violation.field, words)
                && errors.of(error.field).is_none()
            {
                errors.fields.push(error);
            }
        }
        if matches!(problem.reason, "CODE_WRONG" | "SECOND_FACTOR_WRONG") {
            errors.fields.push(FieldError {
                field: "code",
                message: words.code_wrong,
            });
        }
        if problem.reason == "PASSWORD_WRONG" {
            errors.fields.push(FieldError {
                field: "current_password",
                message: words.current_password_wrong,
            });
        }
        if problem.reason == "USERNAME_TAKEN" {
            errors.fields.push(FieldError {
                field: "username",
                message: words.username_taken,
            });
        }
        if errors.fields.is_empty() {
            errors.message = Some(problem.detail.clone());
        }
        errors
    }
}

/// The input that a field of the contract comes from.
fn field(path: &str, words: &'static Words) -> Option<FieldError> {
    let parts: Vec<&str> = path.split('.').collect();
    let has = |name: &str| parts.contains(&name);
    let (field, message) = match () {
        () if has("identifier") || has("address") => ("identifier", words.identifier_invalid),
        () if has("current_password") => ("current_password", words.password_missing),
        () if has("new_password") || has("password") => ("password", words.password_invalid),
        () if has("username") => ("username", words.username_invalid),
        () if has("link_token") || has("undo_token") => ("link_token", words.link_invalid),
        () if has("code") => ("code", words.code_invalid),
        () if has("time_zone") => ("time_zone", words.time_zone_invalid),
        () if has("locale") => ("locale", words.language_invalid),
        () if has("name") => ("name", words.name_invalid),
        () if has("label") => ("label", words.name_invalid),
        () => return None,
    };
    Some(FieldError { field, message })
}
