//! The one place where a status is born: each error of the domain becomes a
//! code, a reason, and a message in the person's language.

mod failure;
#[cfg(test)]
mod tests;
mod words;

use std::collections::HashMap;
use std::time::Duration;

use countersign_domain::model::Locale;
use countersign_domain::ports::StoreError;
use countersign_domain::{Error, Limit, Refusal};
use countersign_proto::ERROR_DOMAIN;
use countersign_proto::v1::ErrorReason;
use http::HeaderMap;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

use self::words::{withdrawn, words};
use crate::grpc::convert::rejection_reason;
use crate::rfc3339::rfc3339;

pub(crate) use failure::Failure;

/// What a response says of its call.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It is answered.
    Answered,
    /// It failed, and it is said why.
    Explained,
    /// It failed, as tonic found by itself, without details.
    Bare(Failure),
}

impl Outcome {
    /// What the headers of a response say.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        match Status::from_header_map(headers) {
            None => Self::Answered,
            Some(status) if status.details().is_empty() => Self::Bare(Failure::from(&status)),
            Some(_) => Self::Explained,
        }
    }
}

/// The code that the headers or trailers of a response tell, if its call has ended.
pub(crate) fn code(headers: &HeaderMap) -> Option<Code> {
    let code = headers.get(Status::GRPC_STATUS)?;
    Some(Code::from_bytes(code.as_bytes()))
}

/// How long a caller should wait before it asks an unreachable service again.
const RETRY_UNAVAILABLE: Duration = Duration::from_secs(1);

/// The status of a failure.
pub(crate) fn status(failure: &Failure, locale: Locale, request_id: &str) -> Status {
    let mut metadata = HashMap::new();
    let mut details = ErrorDetails::new();
    let mut detail = None;
    let mut told = None;
    let reason = match failure {
        Failure::Domain(error) => {
            told = told_of(error, locale);
            add_facts(error, request_id, &mut metadata, &mut details);
            detail = english_detail(error);
            reason_of(error)
        }
        // Why, is for the log alone.
        Failure::Unidentified(_) => ErrorReason::CallerUnknown,
        Failure::Deadline => ErrorReason::DeadlineExceeded,
        Failure::UnknownRpc => ErrorReason::RpcUnknown,
        Failure::UnknownEncoding => ErrorReason::EncodingUnknown,
        Failure::Unreadable(message) => {
            detail = Some(message.clone()).filter(|message| !message.is_empty());
            ErrorReason::MessageUnreadable
        }
        Failure::TooManyBytes => {
            details.set_retry_info(Some(RETRY_UNAVAILABLE));
            ErrorReason::Overloaded
        }
    };
    build(reason, details, metadata, locale, (detail, told))
}

/// What a person is told that depends on more than the reason.
fn told_of(error: &Error, locale: Locale) -> Option<String> {
    match error {
        Error::Refused(Refusal::UserWithdrawn { at, rejoin_at }) => {
            Some(withdrawn(*at, *rejoin_at, locale))
        }
        _ => None,
    }
}

/// What a program should know of an error, beyond the reason.
fn add_facts(
    error: &Error,
    request_id: &str,
    metadata: &mut HashMap<String, String>,
    details: &mut ErrorDetails,
) {
    match error {
        Error::Invalid(violations) => {
            let violations: Vec<_> = violations
                .iter()
                .map(|v| FieldViolation::new(&v.field, &v.rule))
                .collect();
            details.set_bad_request(violations);
        }
        Error::Exhausted { retry_after, .. } => {
            details.set_retry_info(Some(*retry_after));
        }
        Error::Store(StoreError::Corrupt(_)) | Error::Internal(_) => {
            metadata.insert("request_id".to_owned(), request_id.to_owned());
        }
        Error::Store(_) | Error::Ephemeral(_) | Error::Unavailable(_) => {
            details.set_retry_info(Some(RETRY_UNAVAILABLE));
        }
        Error::ProviderUnavailable(provider) => {
            metadata.insert("provider".to_owned(), provider.to_string());
            details.set_retry_info(Some(RETRY_UNAVAILABLE));
        }
        Error::Refused(refusal) => metadata.extend(facts(*refusal)),
    }
}

/// The status of a call of health or reflection that took too long. These answer
/// as their own contracts say, without details.
pub(crate) fn too_late() -> Status {
    Status::deadline_exceeded("The call took too long.")
}

/// The status of a question about the health of a service that is not there.
pub(crate) fn unknown_service() -> Status {
    Status::not_found("There is no such service.")
}

/// The status of a call of health or reflection whose message is compressed in
/// a way that is not known.
pub(crate) fn unknown_encoding() -> Status {
    Status::unimplemented("The encoding of the message is not known.")
}

/// The status of a call of health or reflection where there are too many.
pub(crate) fn too_many_open_calls() -> Status {
    Status::resource_exhausted("Too many calls of this kind are under way.")
}

/// The status with which the body of a request ends that has more than the one
/// message of its RPC.
pub(crate) fn too_many_messages() -> Status {
    Status::invalid_argument("It is followed by another.")
}

/// The status with which the body of a request ends whose caller went away.
pub(crate) fn broken_off() -> Status {
    Status::invalid_argument("It broke off.")
}

/// The status with which the body of a request ends that is too much.
pub(crate) fn too_many_bytes() -> Status {
    Status::resource_exhausted("Unfinished requests hold as many bytes as they may.")
}

/// The status with which the body of a request ends whose message is larger
/// than so many bytes.
pub(crate) fn too_large(most: usize) -> Status {
    Status::out_of_range(format!("It is larger than {most} bytes."))
}

/// The status with which the body of a request ends that is not what it says.
pub(crate) fn not_gzip() -> Status {
    Status::invalid_argument("It is not compressed with gzip.")
}

/// The status with which the body of a request ends whose message is compressed,
/// though none was said to be.
pub(crate) fn unsaid_encoding() -> Status {
    Status::invalid_argument("It is compressed, and grpc-encoding does not say how.")
}

/// The status with which the body of a request of health or reflection ends
/// whose message is none of its RPC.
pub(crate) fn unreadable() -> Status {
    Status::invalid_argument("It is no message of this RPC.")
}

/// What is wrong with the body of a request of health or reflection, with the
/// code that gRPC's own libraries have for it.
pub(crate) fn of_open_call(wrong: &Status) -> Status {
    let code = match wrong.code() {
        Code::OutOfRange => Code::ResourceExhausted,
        Code::InvalidArgument => Code::Internal,
        _ => return wrong.clone(),
    };
    let message = wrong.message();
    Status::new(code, format!("The message cannot be read: {message}"))
}

fn build(
    reason: ErrorReason,
    mut details: ErrorDetails,
    metadata: HashMap<String, String>,
    locale: Locale,
    (detail, told): (Option<String>, Option<String>),
) -> Status {
    let name = reason.as_str_name().trim_start_matches("ERROR_REASON_");
    let (code, english, korean) = words(reason);
    details.set_error_info(name, ERROR_DOMAIN, metadata);
    let fixed = match locale {
        Locale::Korean => korean,
        Locale::English => english,
    };
    details.set_localized_message(locale.tag(), told.unwrap_or_else(|| fixed.to_owned()));
    let message = detail.map_or_else(
        || english.to_owned(),
        |detail| format!("{english} {detail}"),
    );
    Status::with_error_details(code, message, details)
}

/// What helps a developer who reads the message in a log, beyond the reason.
fn english_detail(error: &Error) -> Option<String> {
    match error {
        Error::Invalid(violations) => {
            let all: Vec<_> = violations
                .iter()
                .map(|v| format!("{}: {}", v.field, v.rule))
                .collect();
            Some(all.join("; "))
        }
        Error::Exhausted { retry_after, .. } => {
            Some(format!("Again in {} s.", retry_after.as_secs_f32().ceil()))
        }
        Error::Refused(Refusal::CallerNotPermitted(role)) => {
            Some(format!("The RPC needs the role {role}."))
        }
        Error::Refused(_)
        | Error::Store(_)
        | Error::Ephemeral(_)
        | Error::Unavailable(_)
        | Error::ProviderUnavailable(_)
        | Error::Internal(_) => None,
    }
}

fn facts(refusal: Refusal) -> Option<(String, String)> {
    let (name, value) = match refusal {
        Refusal::CallerNotPermitted(role) => ("required_role", role.to_string()),
        Refusal::AccessToken(rejection) => {
            let name = rejection_reason(rejection).as_str_name();
            (
                "rejection",
                name.trim_start_matches("REJECTION_REASON_").to_owned(),
            )
        }
        Refusal::Code { remaining } => ("remaining_attempts", remaining.to_string()),
        Refusal::SignInWay(way) => ("sign_in_way", way.to_string()),
        Refusal::AuthenticationTooOld { max_age } => ("max_age", max_age.as_secs().to_string()),
        Refusal::UserWithdrawn { rejoin_at, .. } => ("rejoin_time", rfc3339(rejoin_at)),
        _ => return None,
    };
    Some((name.to_owned(), value))
}

/// What a reason says in English.
pub(crate) fn words_of(reason: ErrorReason) -> &'static str {
    let (_, english, _) = words(reason);
    english
}

/// The reason of an error, as the contract has it.
pub(crate) fn reason_of(error: &Error) -> ErrorReason {
    match error {
        Error::Invalid(_) => ErrorReason::FieldInvalid,
        Error::Exhausted {
            limit: Limit::Messages,
            ..
        } => ErrorReason::TooManyMessages,
        Error::Exhausted {
            limit: Limit::Attempts,
            ..
        } => ErrorReason::TooManyAttempts,
        Error::Exhausted {
            limit: Limit::Hashing,
            ..
        } => ErrorReason::Overloaded,
        Error::Store(StoreError::Corrupt(_)) | Error::Internal(_) => ErrorReason::Internal,
        Error::Store(_) | Error::Ephemeral(_) | Error::Unavailable(_) => {
            ErrorReason::DependencyUnavailable
        }
        Error::ProviderUnavailable(_) => ErrorReason::ProviderUnavailable,
        Error::Refused(refusal) => match refusal {
            Refusal::CallerNotPermitted(_) => ErrorReason::CallerNotPermitted,
            Refusal::SignIn => ErrorReason::SignInRefused,
            Refusal::AccessToken(_) => ErrorReason::AccessTokenInvalid,
            Refusal::RefreshToken => ErrorReason::RefreshTokenInvalid,
            Refusal::RefreshTokenReused => ErrorReason::RefreshTokenReused,
            Refusal::SessionEnded => ErrorReason::SessionEnded,
            Refusal::Password => ErrorReason::PasswordWrong,
            Refusal::Code { .. } => ErrorReason::CodeWrong,
            Refusal::Verification => ErrorReason::VerificationNotFound,
            Refusal::Proof => ErrorReason::ProofInvalid,
            Refusal::IdentifierTaken => ErrorReason::IdentifierTaken,
            Refusal::UsernameTaken => ErrorReason::UsernameTaken,
            Refusal::Session => ErrorReason::SessionNotFound,
            Refusal::SessionOfAnotherCaller => ErrorReason::SessionOfAnotherCaller,
            Refusal::AuthenticationTooOld { .. } => ErrorReason::AuthenticationTooOld,
            Refusal::SecondFactorRequired => ErrorReason::SecondFactorRequired,
            Refusal::Enrollment => ErrorReason::EnrollmentNotFound,
            Refusal::Factor => ErrorReason::FactorNotFound,
            Refusal::TooManyFactors => ErrorReason::FactorLimitReached,
            Refusal::AddressUnverified => ErrorReason::AddressNotVerified,
            Refusal::FactorEnrolled => ErrorReason::FactorAlreadyEnrolled,
            Refusal::SecondFactorMissing => ErrorReason::SecondFactorUnavailable,
            Refusal::SecondFactor => ErrorReason::SecondFactorWrong,
            Refusal::MfaSession => ErrorReason::MfaSessionNotFound,
            Refusal::PasskeysOff => ErrorReason::PasskeysNotConfigured,
            Refusal::SenderMissing => ErrorReason::SenderNotConfigured,
            Refusal::Identifier => ErrorReason::IdentifierNotFound,
            Refusal::TooManyIdentifiers => ErrorReason::IdentifierLimitReached,
            Refusal::ExternalIdMissing => ErrorReason::ExternalIdMissing,
            Refusal::LastIdentifier => ErrorReason::LastIdentifier,
            Refusal::Undo => ErrorReason::UndoNotFound,
            Refusal::UserSuspended => ErrorReason::UserSuspended,
            Refusal::UserWithdrawn { .. } => ErrorReason::UserWithdrawn,
            Refusal::User => ErrorReason::UserNotFound,
            Refusal::UserState => ErrorReason::UserStateConflict,
            Refusal::Etag => ErrorReason::EtagMismatch,
            Refusal::ExternalIdTaken => ErrorReason::ExternalIdTaken,
            Refusal::Group => ErrorReason::GroupNotFound,
            Refusal::DoubleInBatch => ErrorReason::DoubleInBatch,
            Refusal::GroupTaken => ErrorReason::GroupAlreadyExists,
            Refusal::GroupChanged => ErrorReason::GroupChanged,
            Refusal::GroupInUse => ErrorReason::GroupNotEmpty,
            Refusal::SignInWay(_) => ErrorReason::SignInWayNotAllowed,
            Refusal::SignUpOff => ErrorReason::SignUpNotAllowed,
            Refusal::ServiceAccount => ErrorReason::ServiceAccountNotFound,
            Refusal::TooManyServiceAccountCredentials => {
                ErrorReason::ServiceAccountCredentialLimitReached
            }
            Refusal::ServiceAccountToken => ErrorReason::TokenOfServiceAccount,
            Refusal::FederatedSignIn => ErrorReason::FederatedSignInRefused,
            Refusal::Provider => ErrorReason::ProviderNotFound,
            Refusal::FederationToken => ErrorReason::FederationTokenInvalid,
            Refusal::FederatedIdentityTaken => ErrorReason::FederatedIdentityTaken,
            Refusal::FederatedIdentity => ErrorReason::FederatedIdentityNotFound,
            Refusal::TooManyFederatedIdentities => ErrorReason::FederatedIdentityLimitReached,
            Refusal::LastWayIn => ErrorReason::LastWayIn,
            Refusal::ProviderNotification => ErrorReason::ProviderNotificationRefused,
        },
    }
}
