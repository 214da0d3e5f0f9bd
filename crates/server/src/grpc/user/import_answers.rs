//! What has become of the users of an import, as messages.

use countersign_domain::Error;
use countersign_domain::use_cases::{ImportOutcome, ImportRefusal};
use countersign_proto::v1;
use countersign_proto::v1::import_result::Outcome;

use crate::status::{reason_of, words_of};

/// How many fields of a user are named at the most.
const NAMED: usize = 5;

pub(super) fn results(outcomes: Vec<ImportOutcome>) -> v1::ImportUsersResponse {
    v1::ImportUsersResponse {
        results: outcomes.into_iter().map(result).collect(),
    }
}

fn result(outcome: ImportOutcome) -> v1::ImportResult {
    let outcome = match outcome {
        ImportOutcome::Imported(id) => {
            Outcome::Imported(id.map_or_else(String::new, |id| id.to_string()))
        }
        ImportOutcome::AlreadyThere(id) => Outcome::AlreadyThere(id.to_string()),
        ImportOutcome::Refused(refusal) => Outcome::Refused(refused(refusal)),
    };
    v1::ImportResult {
        outcome: Some(outcome),
    }
}

fn refused(refusal: ImportRefusal) -> v1::ImportRefusal {
    let reason = reason_of(&refusal.error);
    let violations = match refusal.error {
        Error::Invalid(violations) => {
            let named = violations.into_iter().take(NAMED);
            named
                .map(|violation| v1::ImportViolation {
                    field: violation.field,
                    description: violation.rule,
                })
                .collect()
        }
        _ => {
            let field = refusal.field.into_iter();
            field
                .map(|field| v1::ImportViolation {
                    field,
                    description: words_of(reason).to_owned(),
                })
                .collect()
        }
    };
    v1::ImportRefusal {
        reason: reason.into(),
        violations,
    }
}
