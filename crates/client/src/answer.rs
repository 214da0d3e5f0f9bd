//! How a protected service turns a request away: as a gRPC status to gRPC
//! callers, as a problem (RFC 9457) with the challenge of RFC 6750, or
//! of RFC 9470, to others.

use std::collections::HashMap;
use std::time::Duration;

use countersign_proto::ERROR_DOMAIN;
use countersign_proto::v1::RejectionReason;
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde_json::json;
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::acr::InsufficientAuthentication;
use crate::claims::InsufficientScope;
use crate::error::{ValidateError, rejection_name, rejection_text};

/// The wait before another try, if the error names none.
const DEFAULT_PAUSE: Duration = Duration::from_secs(1);

/// Why a request is turned away.
#[derive(Debug, Clone)]
pub(crate) enum Denial {
    /// It carries no access token.
    NoToken,
    /// Its access token must not be accepted.
    Rejected(RejectionReason),
    /// Its access token is good but lacks one of these scopes.
    InsufficientScope(Vec<String>),
    /// Its access token is good but its person has to show more (RFC 9470).
    InsufficientAuthentication(InsufficientAuthentication),
    /// The token could not be checked. The cause is not shown outside.
    CouldNotTell { retry_after: Option<Duration> },
    /// The handler wants an identity, but no layer asked for one.
    NotProtected,
}

impl Denial {
    /// `scopes` are those that were required.
    pub(crate) fn of(error: ValidateError, scopes: &[String]) -> Self {
        match error {
            ValidateError::Rejected(RejectionReason::InsufficientScope) => {
                Self::InsufficientScope(scopes.to_vec())
            }
            ValidateError::Rejected(reason) => Self::Rejected(reason),
            ValidateError::InsufficientAuthentication(lacking) => {
                Self::InsufficientAuthentication(lacking)
            }
            ValidateError::CouldNotTell(could_not_tell) => {
                tracing::warn!(error = %could_not_tell, "an access token could not be checked");
                Self::CouldNotTell {
                    retry_after: could_not_tell.retry_after,
                }
            }
        }
    }

    /// The answer in the caller's own protocol.
    pub(crate) fn answer(&self, request: &HeaderMap) -> Response<Body> {
        let is_grpc = request
            .get(CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"));
        if is_grpc {
            self.status().into_http()
        } else {
            self.problem()
        }
    }

    pub(crate) fn status(&self) -> Status {
        let message = self.detail();
        match self {
            Self::NoToken => Status::unauthenticated(message),
            Self::Rejected(_) | Self::InsufficientAuthentication(_) => Status::with_error_details(
                Code::Unauthenticated,
                message,
                ErrorDetails::with_error_info(
                    "ACCESS_TOKEN_INVALID",
                    ERROR_DOMAIN,
                    self.metadata(),
                ),
            ),
            Self::InsufficientScope(_) => Status::with_error_details(
                Code::PermissionDenied,
                message,
                ErrorDetails::with_error_info(
                    "ACCESS_TOKEN_INVALID",
                    ERROR_DOMAIN,
                    self.metadata(),
                ),
            ),
            Self::CouldNotTell { retry_after } => Status::with_error_details(
                Code::Unavailable,
                message,
                ErrorDetails::with_retry_info(Some(retry_after.unwrap_or(DEFAULT_PAUSE))),
            ),
            Self::NotProtected => Status::internal(message),
        }
    }

    pub(crate) fn problem(&self) -> Response<Body> {
        let status = match self {
            Self::NoToken | Self::Rejected(_) | Self::InsufficientAuthentication(_) => {
                StatusCode::UNAUTHORIZED
            }
            Self::InsufficientScope(_) => StatusCode::FORBIDDEN,
            Self::CouldNotTell { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::NotProtected => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let mut problem = json!({
            "type": "about:blank",
            "title": status.canonical_reason(),
            "status": status.as_u16(),
            "detail": self.detail(),
        });
        if let Some(rejection) = self.rejection() {
            problem["rejection"] = json!(rejection_name(rejection));
        }
        if let Self::InsufficientAuthentication(lacking) = self {
            for (name, value) in lacking.parameters() {
                problem[name] = json!(value);
            }
        }
        let body = Body::new(Full::from(problem.to_string()));
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(challenge) = self.challenge() {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if let Self::CouldNotTell { retry_after } = self {
            let pause = retry_after.unwrap_or(DEFAULT_PAUSE);
            let seconds = pause.as_millis().div_ceil(1_000).max(1);
            let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }

    pub(crate) fn detail(&self) -> String {
        match self {
            Self::NoToken => "an access token is required".to_owned(),
            Self::Rejected(reason) => rejection_text(*reason).to_owned(),
            Self::InsufficientScope(scopes) => {
                format!("the scope {} is required", scopes.join(" "))
            }
            Self::InsufficientAuthentication(lacking) => lacking.to_string(),
            Self::CouldNotTell { .. } => "the access token cannot be checked now".to_owned(),
            Self::NotProtected => "the handler wants an identity but is not protected".to_owned(),
        }
    }

    fn rejection(&self) -> Option<RejectionReason> {
        match self {
            Self::Rejected(reason) => Some(*reason),
            Self::InsufficientScope(_) => Some(RejectionReason::InsufficientScope),
            Self::InsufficientAuthentication(_) => {
                Some(RejectionReason::InsufficientUserAuthentication)
            }
            Self::NoToken | Self::CouldNotTell { .. } | Self::NotProtected => None,
        }
    }

    fn metadata(&self) -> HashMap<String, String> {
        let rejection = self.rejection().map(rejection_name);
        let rejection = rejection.map(|name| ("rejection".to_owned(), name.to_owned()));
        let mut metadata: HashMap<_, _> = rejection.into_iter().collect();
        if let Self::InsufficientAuthentication(lacking) = self {
            let lacking = lacking.parameters();
            metadata.extend(lacking.map(|(name, value)| (name.to_owned(), value)));
        }
        metadata
    }

    /// `WWW-Authenticate` (RFC 6750 §3, RFC 9470 §3): without an error code where
    /// the request carried no token.
    fn challenge(&self) -> Option<HeaderValue> {
        match self {
            Self::NoToken => Some(HeaderValue::from_static("Bearer")),
            Self::Rejected(reason) => {
                let description = rejection_text(*reason);
                HeaderValue::try_from(format!(
                    "Bearer error=\"invalid_token\", error_description=\"{description}\""
                ))
                .ok()
            }
            Self::InsufficientScope(scopes) => {
                let known: Vec<&str> = scopes
                    .iter()
                    .map(String::as_str)
                    .filter(|scope| is_scope_token(scope))
                    .collect();
                HeaderValue::try_from(format!(
                    "Bearer error=\"insufficient_scope\", scope=\"{}\"",
                    known.join(" ")
                ))
                .ok()
            }
            Self::InsufficientAuthentication(lacking) => {
                let error = ("error", "insufficient_user_authentication".to_owned());
                let description = ("error_description", lacking.to_string());
                let parameters = [error, description].into_iter().chain(lacking.parameters());
                let parameters = parameters.map(|(name, value)| format!("{name}=\"{value}\""));
                let parameters = parameters.collect::<Vec<_>>().join(", ");
                HeaderValue::try_from(format!("Bearer {parameters}")).ok()
            }
            Self::CouldNotTell { .. } | Self::NotProtected => None,
        }
    }
}

impl From<InsufficientScope> for Denial {
    fn from(missing: InsufficientScope) -> Self {
        Self::InsufficientScope(vec![missing.scope])
    }
}

impl From<InsufficientAuthentication> for Denial {
    fn from(lacking: InsufficientAuthentication) -> Self {
        Self::InsufficientAuthentication(lacking)
    }
}

impl From<InsufficientAuthentication> for Status {
    fn from(lacking: InsufficientAuthentication) -> Self {
        Denial::from(lacking).status()
    }
}

impl From<InsufficientScope> for Status {
    fn from(missing: InsufficientScope) -> Self {
        Denial::from(missing).status()
    }
}

/// `scope-token` of RFC 6749 §3.3: what can stand between the quotes.
fn is_scope_token(scope: &str) -> bool {
    !scope.is_empty()
        && scope
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'))
}
