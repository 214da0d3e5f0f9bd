//! Every error of the gateway: a problem (RFC 9457) whose status follows from the
//! gRPC code of the service by one table. HTTP errors are made here and nowhere else.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use countersign_client::{CouldNotTell, Error, ErrorReason, Refusal, ValidateError, Violation};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value, json};
use tonic::{Code, Status};

/// The wait that an answer names where the service names none.
const DEFAULT_PAUSE: Duration = Duration::from_secs(1);
/// What stands for a case that no standard status says, in the bodies of [`Problem::into_code_and_message`].
const NO_STANDARD_CODE: u16 = 600;

/// What is wrong with a token (RFC 6750, section 3.1, and RFC 9470, section 3).
const INVALID_TOKEN: &str = "Bearer error=\"invalid_token\"";
const INSUFFICIENT_SCOPE: &str = "Bearer error=\"insufficient_scope\"";
const INSUFFICIENT_AUTHENTICATION: &str = "Bearer error=\"insufficient_user_authentication\"";

/// An error as a client of the gateway gets it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    /// A name of `error_reason.proto`, or of a rejection, for programs.
    pub(crate) reason: &'static str,
    /// For the person, in its language where the service said it.
    pub(crate) detail: String,
    pub(crate) violations: Box<[Violation]>,
    pub(crate) retry_after: Option<Duration>,
    /// `WWW-Authenticate` (RFC 6750, section 3).
    challenge: Option<&'static str>,
    /// Members of its own (RFC 9457, section 3.2).
    pub(crate) members: Map<String, Value>,
}

/// The one table: the status of a gRPC code.
fn status_of(code: Code) -> StatusCode {
    match code {
        Code::Ok => StatusCode::OK,
        Code::InvalidArgument | Code::OutOfRange | Code::FailedPrecondition => {
            StatusCode::BAD_REQUEST
        }
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable | Code::Cancelled => StatusCode::SERVICE_UNAVAILABLE,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::Unknown | Code::Internal | Code::DataLoss => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl Problem {
    pub(crate) fn new(status: StatusCode, reason: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            reason,
            detail: detail.into(),
            violations: Box::default(),
            retry_after: None,
            challenge: None,
            members: Map::new(),
        }
    }

    /// A request that cannot be read: what is wrong with it, and what would be right.
    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "FIELD_INVALID", detail)
    }

    /// One field that is wrong.
    pub(crate) fn field(field: &str, description: &str) -> Self {
        let mut problem = Self::malformed(format!("{field}: {description}"));
        problem.violations = Box::new([Violation {
            field: field.to_owned(),
            description: description.to_owned(),
        }]);
        problem
    }

    /// A request without an access token, which needs one.
    pub(crate) fn no_token() -> Self {
        let mut problem = Self::new(
            StatusCode::UNAUTHORIZED,
            "ACCESS_TOKEN_MISSING",
            "an access token is required: `Authorization: Bearer …`, or the cookie of a sign-in",
        );
        problem.challenge = Some("Bearer");
        problem
    }

    /// A request that must show the API key of a caller, and does not.
    pub(crate) fn unknown_caller(detail: &str) -> Self {
        let mut problem = Self::new(StatusCode::UNAUTHORIZED, "CALLER_UNKNOWN", detail);
        problem.challenge = Some("Bearer");
        problem
    }

    /// A method that a path does not take.
    pub(crate) fn unknown_method() -> Self {
        let detail = "this path takes another method: see `Allow`";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_UNKNOWN", detail)
    }

    /// What the service says to a caller who showed a key of its own.
    pub(crate) fn of_caller(status: Status) -> Self {
        match Error::from(status) {
            Error::CouldNotTell(CouldNotTell {
                reason: Some(ErrorReason::CallerUnknown),
                message,
                ..
            }) => Self::unknown_caller(&message),
            Error::CouldNotTell(CouldNotTell {
                reason: Some(ErrorReason::CallerNotPermitted),
                message,
                ..
            }) => Self::new(StatusCode::FORBIDDEN, "CALLER_NOT_PERMITTED", message),
            error => error.into(),
        }
    }

    /// An answer of the service that lacks what it must have.
    pub(crate) fn incomplete(what: &str) -> Self {
        tracing::error!(what, "the answer of the service is incomplete");
        unavailable(StatusCode::BAD_GATEWAY, None)
    }

    /// Whether a page can show it beside what the person has typed: it is neither the service's trouble nor that nobody
    /// is signed in.
    pub(crate) fn is_for_page(&self) -> bool {
        self.status.is_client_error() && self.status != StatusCode::UNAUTHORIZED
    }

    /// The body `{"code": …, "message": …}` of services that count in it on such; `code` is 600 for what no
    /// standard status says: why somebody who has proved itself is not let in.
    pub(crate) fn into_code_and_message(self) -> Response {
        let code = match self.reason {
            "USER_SUSPENDED" | "USER_WITHDRAWN" => NO_STANDARD_CODE,
            _ => self.status.as_u16(),
        };
        let mut body = self.members.clone();
        body.insert("code".into(), code.into());
        body.insert("message".into(), self.detail.clone().into());
        self.respond(HeaderValue::from_static("application/json"), &body.into())
    }

    /// The error body of RFC 6749, section 5.2.
    pub(crate) fn into_oauth_error(mut self) -> Response {
        let error = match self.status {
            StatusCode::UNAUTHORIZED if self.reason == "CALLER_UNKNOWN" => "invalid_client",
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                self.status = StatusCode::BAD_REQUEST;
                "invalid_grant"
            }
            StatusCode::SERVICE_UNAVAILABLE => "temporarily_unavailable",
            status if status.is_server_error() => "server_error",
            _ => "invalid_request",
        };
        let body = json!({"error": error, "error_description": self.detail});
        self.respond(HeaderValue::from_static("application/json"), &body)
    }

    fn respond(self, content_type: HeaderValue, body: &Value) -> Response {
        let mut response = (self.status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, content_type);
        if let Some(pause) = self.retry_after {
            headers.insert(RETRY_AFTER, whole_seconds(pause).into());
        }
        if let Some(challenge) = self.challenge {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        let mut body = std::mem::take(&mut self.members);
        let title = self.status.canonical_reason().unwrap_or("Error");
        body.insert("title".into(), title.into());
        body.insert("status".into(), self.status.as_u16().into());
        body.insert("detail".into(), self.detail.clone().into());
        body.insert("reason".into(), self.reason.into());
        if !self.violations.is_empty() {
            let violations = self.violations.iter();
            let errors = violations.map(|v| json!({"field": v.field, "detail": v.description}));
            body.insert("errors".into(), errors.collect());
        }
        if let Some(pause) = self.retry_after {
            body.insert("retry_after".into(), whole_seconds(pause).into());
        }
        let content_type = HeaderValue::from_static("application/problem+json");
        self.respond(content_type, &body.into())
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => Self::from(refusal),
            Error::CouldNotTell(could_not_tell) => {
                let reason = could_not_tell.reason;
                if matches!(
                    reason,
                    Some(ErrorReason::CallerUnknown | ErrorReason::CallerNotPermitted)
                ) {
                    tracing::error!(error = %could_not_tell, "the service does not let the gateway in: see `gateway.api_key`");
                } else {
                    tracing::warn!(error = %could_not_tell, "the service could not answer");
                }
                let status = match (reason, could_not_tell.code) {
                    (Some(ErrorReason::Overloaded), _) => StatusCode::SERVICE_UNAVAILABLE,
                    (Some(ErrorReason::SenderNotConfigured), _) => StatusCode::NOT_IMPLEMENTED,
                    (_, Code::Unavailable) => StatusCode::SERVICE_UNAVAILABLE,
                    (_, Code::DeadlineExceeded) => StatusCode::GATEWAY_TIMEOUT,
                    _ => StatusCode::BAD_GATEWAY,
                };
                let mut problem = unavailable(status, could_not_tell.retry_after);
                if let Some(reason @ ErrorReason::ProviderUnavailable) = reason {
                    problem.reason = name(reason);
                }
                problem
            }
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = status_of(refusal.code);
        let detail = refusal.localized_message.unwrap_or(refusal.message);
        let mut problem = Self::new(status, name(refusal.reason), detail);
        problem.violations = refusal.violations.into();
        problem.retry_after = refusal.retry_after;
        if refusal.reason == ErrorReason::AccessTokenInvalid {
            problem.challenge = Some(INVALID_TOKEN);
        }
        for (key, value) in refusal.metadata {
            problem.members.insert(key, value.into());
        }
        problem
    }
}

impl From<Status> for Problem {
    fn from(status: Status) -> Self {
        Error::from(status).into()
    }
}

impl From<ValidateError> for Problem {
    fn from(error: ValidateError) -> Self {
        let reason = match &error {
            ValidateError::Rejected(reason) => *reason,
            ValidateError::InsufficientAuthentication(_) => {
                countersign_client::RejectionReason::InsufficientUserAuthentication
            }
            ValidateError::CouldNotTell(could_not_tell) => {
                return Error::CouldNotTell(could_not_tell.clone()).into();
            }
        };
        let name = reason.as_str_name();
        let name = name.strip_prefix("REJECTION_REASON_").unwrap_or(name);
        let (status, challenge) = match name {
            "INSUFFICIENT_SCOPE" => (StatusCode::FORBIDDEN, INSUFFICIENT_SCOPE),
            "INSUFFICIENT_USER_AUTHENTICATION" => {
                (StatusCode::UNAUTHORIZED, INSUFFICIENT_AUTHENTICATION)
            }
            _ => (StatusCode::UNAUTHORIZED, INVALID_TOKEN),
        };
        let mut problem = Self::new(status, name, error.to_string());
        problem.challenge = Some(challenge);
        problem
    }
}

/// Nobody could tell; what the trouble is stays in the log.
fn unavailable(status: StatusCode, retry_after: Option<Duration>) -> Problem {
    let detail = "the question could not be answered now; nothing was decided";
    let mut problem = Problem::new(status, "UNAVAILABLE", detail);
    problem.retry_after = Some(retry_after.unwrap_or(DEFAULT_PAUSE));
    problem
}

fn name(reason: ErrorReason) -> &'static str {
    let name = reason.as_str_name();
    name.strip_prefix("ERROR_REASON_").unwrap_or(name)
}

/// `Retry-After` counts in whole seconds (RFC 9110, section 10.2.3).
fn whole_seconds(pause: Duration) -> u64 {
    pause.as_secs() + u64::from(pause.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use countersign_client::ERROR_DOMAIN;
    use tonic_types::{ErrorDetails, StatusExt as _};

    use super::*;

    fn status(code: Code, reason: &str) -> Status {
        let details = ErrorDetails::with_error_info(reason, ERROR_DOMAIN, []);
        Status::with_error_details(code, "text", details)
    }

    #[test]
    fn the_status_follows_from_the_code_and_who_is_meant() {
        for (code, reason, expected) in [
            (
                Code::InvalidArgument,
                "FIELD_INVALID",
                (400, "FIELD_INVALID"),
            ),
            (
                Code::Unauthenticated,
                "SIGN_IN_REFUSED",
                (401, "SIGN_IN_REFUSED"),
            ),
            (
                Code::PermissionDenied,
                "USER_SUSPENDED",
                (403, "USER_SUSPENDED"),
            ),
            (
                Code::NotFound,
                "SESSION_NOT_FOUND",
                (404, "SESSION_NOT_FOUND"),
            ),
            (
                Code::AlreadyExists,
                "USERNAME_TAKEN",
                (409, "USERNAME_TAKEN"),
            ),
            (Code::Aborted, "ETAG_MISMATCH", (409, "ETAG_MISMATCH")),
            (
                Code::ResourceExhausted,
                "TOO_MANY_ATTEMPTS",
                (429, "TOO_MANY_ATTEMPTS"),
            ),
            // Nobody has decided anything: neither the person nor its client is at fault.
            (Code::ResourceExhausted, "OVERLOADED", (503, "UNAVAILABLE")),
            (
                Code::Unavailable,
                "DEPENDENCY_UNAVAILABLE",
                (503, "UNAVAILABLE"),
            ),
            (
                Code::DeadlineExceeded,
                "DEADLINE_EXCEEDED",
                (504, "UNAVAILABLE"),
            ),
            (
                Code::Unauthenticated,
                "CALLER_UNKNOWN",
                (502, "UNAVAILABLE"),
            ),
            (
                Code::PermissionDenied,
                "CALLER_NOT_PERMITTED",
                (502, "UNAVAILABLE"),
            ),
            (Code::Internal, "INTERNAL", (502, "UNAVAILABLE")),
        ] {
            let problem = Problem::from(status(code, reason));
            assert_eq!(
                (problem.status.as_u16(), problem.reason),
                expected,
                "{reason}"
            );
        }
        let broken = Problem::from(Status::unavailable("the connection failed"));
        assert_eq!(broken.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(broken.retry_after.is_some());
    }

    #[test]
    fn a_caller_with_a_key_of_its_own_hears_that_it_is_wrong() {
        let unknown = Problem::of_caller(status(Code::Unauthenticated, "CALLER_UNKNOWN"));
        assert_eq!(unknown.status, StatusCode::UNAUTHORIZED);
        let response = unknown.into_response();
        assert!(response.headers().contains_key(WWW_AUTHENTICATE));
        let denied = Problem::of_caller(status(Code::PermissionDenied, "CALLER_NOT_PERMITTED"));
        assert_eq!(denied.status, StatusCode::FORBIDDEN);
    }
}
