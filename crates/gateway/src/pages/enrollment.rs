//! What setting up any second factor has in common: beginning, and confirming with what the person shows.

use axum::response::{IntoResponse as _, Redirect, Response};
use countersign_client::proto::{
    BeginEnrollmentRequest, BeginEnrollmentResponse, ConfirmEnrollmentRequest, FactorKind,
    Identifier,
};

use super::member::Member;
use super::recovery_codes;
use super::visitor::Visitor;
use crate::problem::Problem;

/// Begins to set up a factor.
///
/// # Errors
/// What the service says.
pub(super) async fn begin(
    visitor: &Visitor,
    member: &Member,
    kind: FactorKind,
    label: String,
    address: Option<Identifier>,
) -> Result<BeginEnrollmentResponse, Problem> {
    let message = BeginEnrollmentRequest {
        access_token: member.access_token.clone(),
        kind: kind.into(),
        label,
        address,
        client_context: visitor.context.client(),
    };
    let mut factors = visitor.state.client.factors();
    let answer = factors
        .begin_enrollment(visitor.context.request(message))
        .await?;
    Ok(answer.into_inner())
}

/// What confirms that the person has the factor.
#[derive(Debug)]
pub(super) enum Shown {
    Code(String),
    Credential(String),
}

/// Makes it a factor. With the first one there are recovery codes to show.
///
/// # Errors
/// What the service says.
pub(super) async fn confirm(
    visitor: &Visitor,
    member: &Member,
    enrollment_id: String,
    shown: Shown,
) -> Result<Response, Problem> {
    let (code, credential) = match shown {
        Shown::Code(code) => (code.trim().to_owned(), String::new()),
        Shown::Credential(credential) => (String::new(), credential),
    };
    let message = ConfirmEnrollmentRequest {
        access_token: member.access_token.clone(),
        enrollment_id,
        code,
        credential,
    };
    let mut factors = visitor.state.client.factors();
    let answer = factors
        .confirm_enrollment(visitor.context.request(message))
        .await?;
    let codes = answer.into_inner().recovery_codes;
    if codes.is_empty() {
        return Ok(Redirect::to("/profile/factors?done=added").into_response());
    }
    Ok(recovery_codes::page(visitor, member, codes))
}

/// Whether what was shown can be shown anew.
pub(super) fn can_try_again(problem: &Problem) -> bool {
    matches!(problem.reason, "SECOND_FACTOR_WRONG" | "FIELD_INVALID")
}
