//! What is wrong with a form about a user, in the words of operators.

use crate::pages::errors::{Errors, FieldError};
use crate::pages::words::Words;
use crate::problem::Problem;
use crate::url::query;

/// The errors of a refusal.
pub(super) fn errors(problem: &Problem, words: &'static Words) -> Errors {
    let terms = words.for_operators;
    let by_reason = match problem.reason {
        "ETAG_MISMATCH" => return Errors::message(terms.changed_meanwhile.to_owned()),
        "IDENTIFIER_TAKEN" | "USERNAME_TAKEN" => Some(("identifiers", terms.identifier_taken)),
        "USER_WITHDRAWN" => Some(("identifiers", terms.identifier_withdrawn)),
        "EXTERNAL_ID_TAKEN" => Some(("external_id", terms.external_id_taken)),
        "GROUP_NOT_FOUND" => Some(("group", terms.group_unknown)),
        "USER_STATE_CONFLICT" => return Errors::message(terms.state_conflict.to_owned()),
        _ => None,
    };
    if let Some((field, message)) = by_reason {
        return Errors::field(field, message);
    }
    let mut errors = Errors::default();
    for violation in &problem.violations {
        if let Some((field, message)) = field(&violation.field, words)
            && errors.of(field).is_none()
        {
            errors.fields.push(FieldError { field, message });
        }
    }
    if errors.fields.is_empty() {
        errors.message = Some(problem.detail.clone());
    }
    errors
}

/// Whether all that lacks is that the operator shows who it is.
pub(super) fn asks_to_confirm(problem: &Problem) -> bool {
    matches!(
        problem.reason,
        "AUTHENTICATION_TOO_OLD" | "SECOND_FACTOR_REQUIRED"
    )
}

/// Where an operator shows who it is, and is led on to the place. Forms that are filled in open it beside them, so
/// that nothing is typed twice.
pub(super) fn confirm_path(place: &str) -> String {
    format!("/profile/confirm?{}", query("return_to", place))
}

/// The input that a field of the contract comes from.
fn field(path: &str, words: &'static Words) -> Option<(&'static str, &'static str)> {
    let terms = words.for_operators;
    let name = path
        .strip_prefix("profile.")
        .unwrap_or(path)
        .split(['.', '['])
        .next();
    Some(match name? {
        "identifiers" => ("identifiers", terms.identifiers_invalid),
        "password" => ("password", words.password_invalid),
        "external_id" => ("external_id", terms.external_id_invalid),
        "roles" => ("roles", terms.roles_invalid),
        "role" => ("role", terms.role_invalid),
        "scopes" => ("scopes", terms.scopes_invalid),
        "name" => ("name", words.name_invalid),
        "locale" => ("locale", terms.locale_invalid),
        "time_zone" => ("time_zone", words.time_zone_invalid),
        "group_id" => ("group", terms.group_unknown),
        "reason" => ("reason", terms.reason_invalid),
        "end_time" => ("until", terms.until_invalid),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use countersign_client::Violation;
    use http::StatusCode;

    use super::*;
    use crate::pages::words::english::WORDS;

    fn fields(reason: &'static str, violations: &[&str]) -> Vec<&'static str> {
        let mut problem = Problem::new(StatusCode::BAD_REQUEST, reason, "in the service's words");
        let violations = violations.iter().map(|field| Violation {
            field: (*field).to_owned(),
            description: String::new(),
        });
        problem.violations = violations.collect();
        let errors = errors(&problem, &WORDS);
        errors.fields.iter().map(|error| error.field).collect()
    }

    #[test]
    fn a_refusal_is_shown_at_the_input_that_it_is_about() {
        let wrong = |paths: &[&str]| fields("FIELD_INVALID", paths);
        assert_eq!(wrong(&["identifiers[1].email"]), ["identifiers"]);
        assert_eq!(wrong(&["profile.name", "roles[3]"]), ["name", "roles"]);
        assert_eq!(wrong(&["roles[0]", "roles[1]"]), ["roles"]);
        assert_eq!(wrong(&["end_time"]), ["until"]);
        assert_eq!(fields("IDENTIFIER_TAKEN", &[]), ["identifiers"]);
        assert!(wrong(&["page_token"]).is_empty());
        assert!(fields("ETAG_MISMATCH", &[]).is_empty());
    }
}
