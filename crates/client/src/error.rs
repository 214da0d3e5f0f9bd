//! Two kinds of errors, never mixed: the service *refused*, which is an
//! answer, or it *could not tell*, which is none and decides nothing.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use countersign_proto::ERROR_DOMAIN;
use countersign_proto::v1::{ErrorReason, Rejection, RejectionReason};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::acr::{Acr, InsufficientAuthentication};

/// Why a call failed. Made of any [`Status`] of the generated stubs with
/// [`From`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The service answered no. To repeat the call as it is makes no sense
    /// before something changes.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// There is no answer: the service, or the way to it, is in trouble, or
    /// this client is not configured as the service expects. It must be taken
    /// neither for a yes nor for a no; whoever is signed in stays signed in.
    #[error("could not tell: {0}")]
    CouldNotTell(CouldNotTell),
}

/// The answer "no", with what the service says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The reason; UNSPECIFIED if this client is too old to know it.
    pub reason: ErrorReason,
    /// The gRPC code.
    pub code: Code,
    /// For developers, in English.
    pub message: String,
    /// For the person, in the language of the request's `accept-language`.
    pub localized_message: Option<String>,
    /// Every field that is wrong, for [`ErrorReason::FieldInvalid`].
    pub violations: Vec<Violation>,
    /// What belongs to the reason, such as `remaining_attempts`.
    pub metadata: HashMap<String, String>,
    /// When the call may succeed, for [`ErrorReason::TooManyAttempts`] and
    /// [`ErrorReason::TooManyMessages`].
    pub retry_after: Option<Duration>,
}

/// A field of the request that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The path of the field, as in the contract.
    pub field: String,
    /// What is wrong with it.
    pub description: String,
}

/// No answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CouldNotTell {
    /// The gRPC code.
    pub code: Code,
    /// The reason, if the service was reached and gave one.
    pub reason: Option<ErrorReason>,
    /// For developers, in English.
    pub message: String,
    /// When the service asks to be called again.
    pub retry_after: Option<Duration>,
}

/// Why a token was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValidateError {
    /// The token must not be accepted.
    #[error("rejected: {}", rejection_text(*.0))]
    Rejected(RejectionReason),
    /// The token is good, but its person was authenticated longer ago, or by less,
    /// than is required (RFC 9470). The person shows more, and stays signed in.
    #[error("rejected: {0}")]
    InsufficientAuthentication(InsufficientAuthentication),
    /// The token could not be checked: it may be good or not. Do not let the
    /// request pass, and do not sign the person out.
    #[error("could not tell: {0}")]
    CouldNotTell(CouldNotTell),
}

impl From<Rejection> for ValidateError {
    fn from(rejection: Rejection) -> Self {
        let reason = rejection.reason();
        if reason != RejectionReason::InsufficientUserAuthentication {
            return Self::Rejected(reason);
        }
        let max_age = rejection.max_authentication_age;
        let max_age = max_age.and_then(|age| age.try_into().ok());
        // One that is unknown here is at least as much as two factors.
        let values = rejection.acr_values.iter();
        let acr = values.map(|value| Acr::parse(value).unwrap_or(Acr::Aal2));
        let lacking = InsufficientAuthentication::new(max_age, acr.min());
        Self::InsufficientAuthentication(lacking)
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        let info = details
            .error_info()
            .filter(|info| info.domain == ERROR_DOMAIN);
        let reason = info.map(|info| reason(&info.reason));
        let retry_after = details.retry_info().and_then(|info| info.retry_delay);
        let Some((info, reason)) = info.zip(reason).filter(|(_, reason)| match reason {
            ErrorReason::Unspecified => is_answer(status.code()),
            reason => is_refusal(*reason),
        }) else {
            return Self::CouldNotTell(CouldNotTell {
                code: status.code(),
                reason,
                message: status.message().to_owned(),
                retry_after,
            });
        };
        let violations = details.bad_request().map_or_else(Vec::new, |request| {
            let fields = request.field_violations.iter();
            fields
                .map(|violation| Violation {
                    field: violation.field.clone(),
                    description: violation.description.clone(),
                })
                .collect()
        });
        Self::Refused(Refusal {
            reason,
            code: status.code(),
            message: status.message().to_owned(),
            localized_message: details
                .localized_message()
                .map(|localized| localized.message.clone()),
            violations,
            metadata: info.metadata.clone(),
            retry_after,
        })
    }
}

impl From<Status> for CouldNotTell {
    /// For a question whose answers all come with status OK, such as
    /// `ValidateToken`: any error is no answer.
    fn from(status: Status) -> Self {
        match Error::from(status) {
            Error::CouldNotTell(could_not_tell) => could_not_tell,
            Error::Refused(refusal) => Self {
                message: refusal.explanation(),
                code: refusal.code,
                reason: Some(refusal.reason),
                retry_after: refusal.retry_after,
            },
        }
    }
}

impl Refusal {
    /// The message and every violation.
    fn explanation(&self) -> String {
        let violations = self.violations.iter();
        let violations =
            violations.map(|violation| format!("{}: {}", violation.field, violation.description));
        let parts: Vec<String> = std::iter::once(self.message.clone())
            .chain(violations)
            .collect();
        parts.join("; ")
    }
}

impl CouldNotTell {
    /// No answer for a reason outside the service, with the code UNAVAILABLE.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            code: Code::Unavailable,
            reason: None,
            message: message.into(),
            retry_after: None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", reason_name(self.reason), self.explanation())
    }
}

impl fmt::Display for CouldNotTell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason {
            Some(reason) => f.write_str(reason_name(reason))?,
            None => write!(f, "{:?}", self.code)?,
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for Refusal {}
impl std::error::Error for CouldNotTell {}

/// The name of a rejection as the contract's ErrorInfo has it: `EXPIRED`.
pub(crate) fn rejection_name(reason: RejectionReason) -> &'static str {
    without_prefix(reason.as_str_name(), "REJECTION_REASON_")
}

/// What is wrong with a token, as a clause.
pub(crate) fn rejection_text(reason: RejectionReason) -> &'static str {
    match reason {
        RejectionReason::Unspecified => "the token is not accepted",
        RejectionReason::Malformed => "not an access token",
        RejectionReason::WrongType => "a token of another class",
        RejectionReason::UnknownKey => "signed with a key that is not in use",
        RejectionReason::BadSignature => "the signature does not match",
        RejectionReason::WrongIssuer => "issued by another issuer",
        RejectionReason::WrongAudience => "meant for another audience",
        RejectionReason::Expired => "the token has expired",
        RejectionReason::NotYetValid => "the token is not valid yet",
        RejectionReason::InvalidClaims => "a claim is missing or of the wrong type",
        RejectionReason::Revoked => "the session was ended",
        RejectionReason::InsufficientScope => "a required scope is missing",
        RejectionReason::InsufficientUserAuthentication => {
            "the person was authenticated too long ago, or by too little"
        }
    }
}

fn reason(name: &str) -> ErrorReason {
    ErrorReason::from_str_name(&format!("ERROR_REASON_{name}")).unwrap_or_default()
}

fn reason_name(reason: ErrorReason) -> &'static str {
    without_prefix(reason.as_str_name(), "ERROR_REASON_")
}

fn without_prefix(name: &'static str, prefix: &str) -> &'static str {
    name.strip_prefix(prefix).unwrap_or(name)
}

/// Whether the reason answers the request, and is not a trouble of the
/// service or a fault of this client's configuration.
fn is_refusal(reason: ErrorReason) -> bool {
    match reason {
        ErrorReason::FieldInvalid
        | ErrorReason::SignInRefused
        | ErrorReason::AccessTokenInvalid
        | ErrorReason::RefreshTokenInvalid
        | ErrorReason::RefreshTokenReused
        | ErrorReason::SessionEnded
        | ErrorReason::PasswordWrong
        | ErrorReason::CodeWrong
        | ErrorReason::VerificationNotFound
        | ErrorReason::ProofInvalid
        | ErrorReason::IdentifierTaken
        | ErrorReason::UsernameTaken
        | ErrorReason::IdentifierNotFound
        | ErrorReason::IdentifierLimitReached
        | ErrorReason::LastIdentifier
        | ErrorReason::ExternalIdMissing
        | ErrorReason::UndoNotFound
        | ErrorReason::GroupNotFound
        | ErrorReason::GroupAlreadyExists
        | ErrorReason::GroupChanged
        | ErrorReason::GroupNotEmpty
        | ErrorReason::SignInWayNotAllowed
        | ErrorReason::SignUpNotAllowed
        | ErrorReason::ServiceAccountNotFound
        | ErrorReason::ServiceAccountCredentialLimitReached
        | ErrorReason::TokenOfServiceAccount
        | ErrorReason::SessionNotFound
        | ErrorReason::AuthenticationTooOld
        | ErrorReason::SecondFactorRequired
        | ErrorReason::SessionOfAnotherCaller
        | ErrorReason::EnrollmentNotFound
        | ErrorReason::FactorNotFound
        | ErrorReason::FactorLimitReached
        | ErrorReason::PasskeysNotConfigured
        | ErrorReason::AddressNotVerified
        | ErrorReason::FactorAlreadyEnrolled
        | ErrorReason::SecondFactorUnavailable
        | ErrorReason::SecondFactorWrong
        | ErrorReason::MfaSessionNotFound
        | ErrorReason::UserSuspended
        | ErrorReason::UserWithdrawn
        | ErrorReason::UserNotFound
        | ErrorReason::UserStateConflict
        | ErrorReason::EtagMismatch
        | ErrorReason::ExternalIdTaken
        | ErrorReason::DoubleInBatch
        | ErrorReason::FederatedSignInRefused
        | ErrorReason::ProviderNotFound
        | ErrorReason::FederationTokenInvalid
        | ErrorReason::FederatedIdentityTaken
        | ErrorReason::FederatedIdentityNotFound
        | ErrorReason::FederatedIdentityLimitReached
        | ErrorReason::LastWayIn
        | ErrorReason::ProviderNotificationRefused
        | ErrorReason::TooManyMessages
        | ErrorReason::TooManyAttempts => true,
        ErrorReason::Unspecified
        | ErrorReason::CallerUnknown
        | ErrorReason::CallerNotPermitted
        | ErrorReason::Overloaded
        | ErrorReason::DependencyUnavailable
        | ErrorReason::ProviderUnavailable
        | ErrorReason::DeadlineExceeded
        | ErrorReason::RpcUnknown
        | ErrorReason::MessageUnreadable
        | ErrorReason::SenderNotConfigured
        | ErrorReason::EncodingUnknown
        | ErrorReason::Internal => false,
    }
}

/// Whether a code answers the request, for a reason that this client does not
/// know.
fn is_answer(code: Code) -> bool {
    matches!(
        code,
        Code::InvalidArgument
            | Code::Unauthenticated
            | Code::PermissionDenied
            | Code::NotFound
            | Code::AlreadyExists
            | Code::FailedPrecondition
    )
}
