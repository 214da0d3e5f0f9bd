//! Every status with its details, in English and in Korean, as it is in
//! `snapshots/`: what a refusal or failure says is changed there or not at all.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use countersign_domain::FieldViolation;
use countersign_domain::model::{ProviderId, Role, SignInWay, Timestamp};
use countersign_domain::ports::EphemeralError;
use countersign_token::Rejection;
use tonic::Code;
use tonic_types::ErrorDetail;

use super::*;
use crate::grpc::Unidentified;

const REQUEST_ID: &str = "0b1f6a5e";

/// Statuses by name, one in each language.
type Named = (String, [Status; 2]);

/// A list with one example of each variant of an enum, by name. It does not
/// compile if a variant has none.
macro_rules! one_of_each {
    ($list:ident: $type:ty, $($name:literal: $pattern:pat => $example:expr),+ $(,)?) => {
        fn $list() -> Vec<(&'static str, $type)> {
            let _ = |value: &$type| match value { $($pattern => ()),+ };
            vec![$(($name, $example)),+]
        }
    };
}

one_of_each! { refusals: Refusal,
    "caller_not_permitted": Refusal::CallerNotPermitted(_) => Refusal::CallerNotPermitted(Role::Gateway),
    "sign_in": Refusal::SignIn => Refusal::SignIn,
    "access_token_of_ended_session": Refusal::AccessToken(_) => Refusal::AccessToken(None),
    "refresh_token": Refusal::RefreshToken => Refusal::RefreshToken,
    "refresh_token_reused": Refusal::RefreshTokenReused => Refusal::RefreshTokenReused,
    "session_ended": Refusal::SessionEnded => Refusal::SessionEnded,
    "password": Refusal::Password => Refusal::Password,
    "code": Refusal::Code { .. } => Refusal::Code { remaining: 3 },
    "verification": Refusal::Verification => Refusal::Verification,
    "proof": Refusal::Proof => Refusal::Proof,
    "identifier_taken": Refusal::IdentifierTaken => Refusal::IdentifierTaken,
    "username_taken": Refusal::UsernameTaken => Refusal::UsernameTaken,
    "session": Refusal::Session => Refusal::Session,
    "session_of_another_caller": Refusal::SessionOfAnotherCaller => Refusal::SessionOfAnotherCaller,
    "authentication_too_old": Refusal::AuthenticationTooOld { .. } => {
        Refusal::AuthenticationTooOld { max_age: Duration::from_secs(600) }
    },
    "second_factor_required": Refusal::SecondFactorRequired => Refusal::SecondFactorRequired,
    "enrollment": Refusal::Enrollment => Refusal::Enrollment,
    "factor": Refusal::Factor => Refusal::Factor,
    "too_many_factors": Refusal::TooManyFactors => Refusal::TooManyFactors,
    "address_unverified": Refusal::AddressUnverified => Refusal::AddressUnverified,
    "factor_enrolled": Refusal::FactorEnrolled => Refusal::FactorEnrolled,
    "second_factor_missing": Refusal::SecondFactorMissing => Refusal::SecondFactorMissing,
    "second_factor": Refusal::SecondFactor => Refusal::SecondFactor,
    "mfa_session": Refusal::MfaSession => Refusal::MfaSession,
    "passkeys_off": Refusal::PasskeysOff => Refusal::PasskeysOff,
    "sender_missing": Refusal::SenderMissing => Refusal::SenderMissing,
    "identifier": Refusal::Identifier => Refusal::Identifier,
    "too_many_identifiers": Refusal::TooManyIdentifiers => Refusal::TooManyIdentifiers,
    "external_id_missing": Refusal::ExternalIdMissing => Refusal::ExternalIdMissing,
    "last_identifier": Refusal::LastIdentifier => Refusal::LastIdentifier,
    "undo": Refusal::Undo => Refusal::Undo,
    "user_suspended": Refusal::UserSuspended => Refusal::UserSuspended,
    "user_withdrawn": Refusal::UserWithdrawn { .. } => Refusal::UserWithdrawn {
        at: Timestamp::from_seconds(1_790_000_000),
        rejoin_at: Timestamp::from_seconds(1_790_604_800),
    },
    "user": Refusal::User => Refusal::User,
    "user_state": Refusal::UserState => Refusal::UserState,
    "etag": Refusal::Etag => Refusal::Etag,
    "external_id_taken": Refusal::ExternalIdTaken => Refusal::ExternalIdTaken,
    "double_in_batch": Refusal::DoubleInBatch => Refusal::DoubleInBatch,
    "group": Refusal::Group => Refusal::Group,
    "group_taken": Refusal::GroupTaken => Refusal::GroupTaken,
    "group_changed": Refusal::GroupChanged => Refusal::GroupChanged,
    "group_in_use": Refusal::GroupInUse => Refusal::GroupInUse,
    "sign_in_way": Refusal::SignInWay(_) => Refusal::SignInWay(SignInWay::Password),
    "sign_up_off": Refusal::SignUpOff => Refusal::SignUpOff,
    "service_account": Refusal::ServiceAccount => Refusal::ServiceAccount,
    "too_many_service_account_credentials": Refusal::TooManyServiceAccountCredentials =>
        Refusal::TooManyServiceAccountCredentials,
    "service_account_token": Refusal::ServiceAccountToken => Refusal::ServiceAccountToken,
    "federated_sign_in": Refusal::FederatedSignIn => Refusal::FederatedSignIn,
    "provider": Refusal::Provider => Refusal::Provider,
    "federation_token": Refusal::FederationToken => Refusal::FederationToken,
    "federated_identity_taken": Refusal::FederatedIdentityTaken => Refusal::FederatedIdentityTaken,
    "federated_identity": Refusal::FederatedIdentity => Refusal::FederatedIdentity,
    "too_many_federated_identities": Refusal::TooManyFederatedIdentities =>
        Refusal::TooManyFederatedIdentities,
    "last_way_in": Refusal::LastWayIn => Refusal::LastWayIn,
    "provider_notification": Refusal::ProviderNotification => Refusal::ProviderNotification,
}

one_of_each! { rejections: Rejection,
    "too_large": Rejection::TooLarge => Rejection::TooLarge,
    "malformed": Rejection::Malformed => Rejection::Malformed,
    "wrong_type": Rejection::WrongType => Rejection::WrongType,
    "unsupported_header": Rejection::UnsupportedHeader => Rejection::UnsupportedHeader,
    "unknown_key": Rejection::UnknownKey => Rejection::UnknownKey,
    "wrong_algorithm": Rejection::WrongAlgorithm => Rejection::WrongAlgorithm,
    "bad_signature": Rejection::BadSignature => Rejection::BadSignature,
    "wrong_issuer": Rejection::WrongIssuer => Rejection::WrongIssuer,
    "wrong_audience": Rejection::WrongAudience => Rejection::WrongAudience,
    "expired": Rejection::Expired => Rejection::Expired,
    "not_yet_valid": Rejection::NotYetValid => Rejection::NotYetValid,
    "invalid_claims": Rejection::InvalidClaims => Rejection::InvalidClaims,
}

one_of_each! { limits: Limit,
    "messages": Limit::Messages => Limit::Messages,
    "attempts": Limit::Attempts => Limit::Attempts,
    "hashing": Limit::Hashing => Limit::Hashing,
}

one_of_each! { store_errors: StoreError,
    "unavailable": StoreError::Unavailable(_) => StoreError::Unavailable("secret host".into()),
    "uncertain": StoreError::Uncertain(_) => StoreError::Uncertain("secret host".into()),
    "taken": StoreError::Taken => StoreError::Taken,
    "conflict": StoreError::Conflict => StoreError::Conflict,
    "corrupt": StoreError::Corrupt(_) => StoreError::Corrupt("secret row".into()),
}

one_of_each! { errors: Error,
    "invalid": Error::Invalid(_) => Error::Invalid(vec![
        violation("identifier.email", "must be an e-mail address"),
        violation("password", "must be 8 to 128 characters"),
    ]),
    "refused": Error::Refused(_) => Refusal::SignIn.into(),
    "exhausted": Error::Exhausted { .. } => exhausted(Limit::Messages),
    "store": Error::Store(_) => StoreError::Conflict.into(),
    "ephemeral": Error::Ephemeral(_) => EphemeralError("secret host".into()).into(),
    "unavailable": Error::Unavailable(_) => Error::Unavailable("secret detail".into()),
    "provider_unavailable": Error::ProviderUnavailable(_) => {
        Error::ProviderUnavailable(ProviderId::parse("google").unwrap())
    },
    "internal": Error::Internal(_) => Error::Internal("secret fault".into()),
}

one_of_each! { failures: Failure,
    "domain": Failure::Domain(_) => Failure::Domain(Refusal::SignIn.into()),
    "unidentified": Failure::Unidentified(_) => Failure::Unidentified(Unidentified::Unknown),
    "deadline": Failure::Deadline => Failure::Deadline,
    "unknown_rpc": Failure::UnknownRpc => Failure::UnknownRpc,
    "unknown_encoding": Failure::UnknownEncoding => Failure::UnknownEncoding,
    "unreadable": Failure::Unreadable(_) => Failure::Unreadable("what tonic says".into()),
    "too_many_bytes": Failure::TooManyBytes => Failure::TooManyBytes,
}

fn violation(field: &str, rule: &str) -> FieldViolation {
    FieldViolation {
        field: field.into(),
        rule: rule.into(),
    }
}

fn exhausted(limit: Limit) -> Error {
    Error::Exhausted {
        limit,
        retry_after: Duration::from_millis(41_500),
    }
}

fn of_failure(failure: &Failure) -> [Status; 2] {
    [Locale::English, Locale::Korean].map(|locale| status(failure, locale, REQUEST_ID))
}

/// All statuses that there are.
fn all() -> Vec<Named> {
    let mut all: Vec<Named> = Vec::new();
    let mut add = |name: String, statuses| all.push((name, statuses));
    for (name, refusal) in refusals() {
        add(format!("refused_{name}"), of_failure(&refusal.into()));
    }
    for (name, rejection) in rejections() {
        let refusal = Refusal::AccessToken(Some(rejection));
        add(
            format!("refused_access_token_{name}"),
            of_failure(&refusal.into()),
        );
    }
    for (name, limit) in limits() {
        add(
            format!("exhausted_{name}"),
            of_failure(&exhausted(limit).into()),
        );
    }
    for (name, error) in store_errors() {
        add(
            format!("store_{name}"),
            of_failure(&Error::from(error).into()),
        );
    }
    for (name, error) in errors() {
        if !["refused", "exhausted", "store"].contains(&name) {
            add(name.to_owned(), of_failure(&error.into()));
        }
    }
    for (name, failure) in failures() {
        if name != "domain" {
            add(name.to_owned(), of_failure(&failure));
        }
    }
    let languages = [Locale::English, Locale::Korean];
    let mut add_bare = |name: &str, status: fn() -> Status| {
        add(
            format!("without_details_{name}"),
            languages.map(|_| status()),
        );
    };
    add_bare("too_late", too_late);
    add_bare("unknown_service", unknown_service);
    add_bare("unknown_encoding", unknown_encoding);
    add_bare("too_many_bytes", too_many_bytes);
    add_bare("too_large", || too_large(4096));
    add_bare("not_gzip", not_gzip);
    add_bare("too_many_open_calls", too_many_open_calls);
    add_bare("too_many_messages", too_many_messages);
    add_bare("broken_off", broken_off);
    add_bare("unsaid_encoding", unsaid_encoding);
    add_bare("unreadable", unreadable);
    add_bare("too_large_of_open_call", || of_open_call(&too_large(4096)));
    add_bare("unreadable_of_open_call", || of_open_call(&unreadable()));
    add_bare("too_late_of_open_call", || of_open_call(&too_late()));
    for code in 1..=16 {
        let code = Code::from(code);
        let made_by_tonic = Status::new(code, "what tonic says");
        let failure = Failure::from(&made_by_tonic);
        let statuses = of_failure(&failure);
        let name = format!("{code:?}").to_lowercase();
        add(format!("by_tonic_{name}"), statuses);
    }
    all
}

/// A status and its details in lines.
fn lines(status: &Status) -> String {
    let mut lines = vec![format!("{:?}: {}", status.code(), status.message())];
    for detail in status.get_error_details_vec() {
        match detail {
            ErrorDetail::ErrorInfo(info) => {
                let mut facts: Vec<_> = info.metadata.into_iter().collect();
                facts.sort();
                let facts: String = facts.iter().map(|(k, v)| format!(" {k}={v}")).collect();
                lines.push(format!("ErrorInfo: {} {}{facts}", info.domain, info.reason));
            }
            ErrorDetail::BadRequest(request) => {
                let fields = request.field_violations.into_iter();
                lines.extend(fields.map(|violation| {
                    format!("BadRequest: {}: {}", violation.field, violation.description)
                }));
            }
            ErrorDetail::RetryInfo(retry) => {
                let delay = retry.retry_delay.unwrap_or_default();
                lines.push(format!("RetryInfo: {delay:?}"));
            }
            ErrorDetail::LocalizedMessage(message) => {
                let (locale, text) = (message.locale, message.message);
                lines.push(format!("LocalizedMessage: {locale}: {text}"));
            }
            other => lines.push(format!("{other:?}")),
        }
    }
    lines.join("\n")
}

fn snapshots() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/status/snapshots"))
}

#[test]
fn every_status_is_as_it_was() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(snapshots());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (name, [english, korean]) in all() {
            let text = format!("{}\n\n{}", lines(&english), lines(&korean));
            insta::assert_snapshot!(name, text);
        }
    });
}

#[test]
fn no_snapshot_is_of_a_status_that_is_gone() {
    let kept: BTreeSet<_> = fs::read_dir(snapshots())
        .expect("there are snapshots")
        .map(|entry| entry.expect("it is read").file_name())
        .collect();
    let named = all().into_iter().map(|(name, _)| format!("{name}.snap"));
    assert_eq!(kept, named.map(Into::into).collect());
}

#[test]
fn each_reason_of_the_contract_is_in_a_snapshot() {
    let told: BTreeSet<String> = all()
        .iter()
        .flat_map(|(_, statuses)| statuses)
        .filter_map(|status| Some(status.get_details_error_info()?.reason))
        .collect();
    // Numbers may be left out.
    let reasons = (1..1_000).filter_map(|number| ErrorReason::try_from(number).ok());
    let named = reasons.map(|reason| {
        let name = reason.as_str_name();
        name.trim_start_matches("ERROR_REASON_").to_owned()
    });
    assert_eq!(told, named.collect());
}

#[test]
fn developers_read_english_and_people_their_own_language() {
    for (name, [english, korean]) in all() {
        assert_eq!(english.message(), korean.message(), "{name}");
        assert!(english.message().is_ascii(), "{name}");
        if name.starts_with("without_details") {
            continue;
        }
        let told = |status: &Status| {
            let message = status.get_details_localized_message();
            message.expect("a message for the person").message
        };
        let is_korean = |text: &str| text.chars().any(|c| ('가'..='힣').contains(&c));
        assert!(told(&english).is_ascii(), "{name}");
        assert!(is_korean(&told(&korean)), "{name}");
    }
}

#[test]
fn no_status_tells_what_a_driver_said() {
    for (name, statuses) in all() {
        for status in statuses {
            assert!(!lines(&status).contains("secret"), "{name}");
        }
    }
}
