//! Telling a refusal, which is an answer, from no answer at all.
#![expect(clippy::unwrap_used, reason = "a test stops where its helpers fail")]

mod support;

use std::collections::HashMap;
use std::time::Duration;

use countersign_client::{
    Client, Error, ErrorReason, RejectionReason, Requirement, ValidateError, Violation, proto,
};
use proto::validate_token_response::Verdict;
use support::{Answer, Fake, status};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

fn client(fake: &Fake) -> Client {
    Client::builder(&fake.endpoint).build().unwrap()
}

async fn validate(client: &Client) -> Result<countersign_client::Identity, ValidateError> {
    client.validate_token("token", &Requirement::new()).await
}

fn could_not_tell(error: ValidateError) -> countersign_client::CouldNotTell {
    match error {
        ValidateError::CouldNotTell(could_not_tell) => could_not_tell,
        answer => panic!("an answer: {answer:?}"),
    }
}

#[tokio::test]
async fn a_refusal_carries_all_that_the_service_says() {
    let fake = Fake::start().await;
    fake.script.next([
        Answer::Fail(status(Code::InvalidArgument, "FIELD_INVALID", |details| {
            details
                .add_bad_request_violation("identifier.email", "is no e-mail address")
                .add_bad_request_violation("password", "is too short")
                .set_localized_message("ko", "입력한 값을 확인해 주세요.");
        })),
        Answer::Fail(status(
            Code::ResourceExhausted,
            "TOO_MANY_ATTEMPTS",
            |details| {
                details.set_retry_info(Some(Duration::from_secs(30)));
            },
        )),
    ]);
    let mut auth = client(&fake).auth();
    let refused = |status: Status| match Error::from(status) {
        Error::Refused(refusal) => refusal,
        error @ Error::CouldNotTell(_) => panic!("{error}"),
    };
    let request = proto::SignUpRequest::default();
    let refusal = refused(auth.sign_up(request).await.unwrap_err());
    assert_eq!(refusal.reason, ErrorReason::FieldInvalid);
    assert_eq!(refusal.code, Code::InvalidArgument);
    assert_eq!(
        refusal.localized_message.as_deref(),
        Some("입력한 값을 확인해 주세요.")
    );
    let violation = |field: &str, description: &str| Violation {
        field: field.into(),
        description: description.into(),
    };
    assert_eq!(
        refusal.violations,
        [
            violation("identifier.email", "is no e-mail address"),
            violation("password", "is too short"),
        ]
    );
    assert_eq!(
        refusal.to_string(),
        "FIELD_INVALID: it is FIELD_INVALID; identifier.email: is no e-mail address; \
         password: is too short"
    );
    let request = proto::IssueTokensRequest::default();
    let refusal = refused(auth.issue_tokens(request).await.unwrap_err());
    assert_eq!(refusal.reason, ErrorReason::TooManyAttempts);
    assert_eq!(refusal.retry_after, Some(Duration::from_secs(30)));
}

#[tokio::test]
async fn a_dead_session_is_refused_and_trouble_is_not() {
    let fake = Fake::start().await;
    let client = client(&fake);
    for (code, reason, is_refusal) in [
        (Code::Unauthenticated, "REFRESH_TOKEN_REUSED", true),
        (Code::Unauthenticated, "SESSION_ENDED", true),
        (Code::Unauthenticated, "INVENTED_LATER", true),
        (Code::Unauthenticated, "CALLER_UNKNOWN", false),
        (Code::PermissionDenied, "CALLER_NOT_PERMITTED", false),
        (Code::ResourceExhausted, "OVERLOADED", false),
        (Code::Internal, "INTERNAL", false),
        (Code::Unknown, "INVENTED_LATER", false),
    ] {
        fake.script
            .next([Answer::Fail(status(code, reason, |_| ()))]);
        let error = client.refresh_tokens("refresh", None).await.unwrap_err();
        assert_eq!(matches!(error, Error::Refused(_)), is_refusal, "{error}");
    }
    // A status of somebody in between is nobody's answer.
    for status in [
        Status::unauthenticated("the proxy wants a password"),
        Status::permission_denied("blocked"),
        Status::with_error_details(
            Code::Unauthenticated,
            "of another service",
            ErrorDetails::with_error_info("SESSION_ENDED", "mesh.example", HashMap::new()),
        ),
    ] {
        fake.script.next([Answer::Fail(status)]);
        let error = client.refresh_tokens("refresh", None).await.unwrap_err();
        assert!(matches!(error, Error::CouldNotTell(_)), "{error}");
    }
}

#[tokio::test]
async fn a_rejected_token_is_rejected_with_its_reason() {
    let fake = Fake::start().await;
    fake.script.set_verdict(Verdict::Rejected(proto::Rejection {
        reason: RejectionReason::Revoked.into(),
        ..Default::default()
    }));
    let error = validate(&client(&fake)).await.unwrap_err();
    assert_eq!(error, ValidateError::Rejected(RejectionReason::Revoked));
    assert_eq!(error.to_string(), "rejected: the session was ended");
}

#[tokio::test]
async fn a_caller_without_a_good_key_cannot_tell() {
    let fake = Fake::start().await;
    fake.script.next([Answer::Fail(status(
        Code::Unauthenticated,
        "CALLER_UNKNOWN",
        |_| (),
    ))]);
    let error = could_not_tell(validate(&client(&fake)).await.unwrap_err());
    assert_eq!(error.reason, Some(ErrorReason::CallerUnknown));
}

#[tokio::test]
async fn an_answer_that_lacks_its_times_tells_nothing() {
    let fake = Fake::start().await;
    let mut claims = support::claims(Duration::from_secs(60));
    claims.expire_time = None;
    fake.script.set_verdict(Verdict::Valid(claims));
    let error = could_not_tell(validate(&client(&fake)).await.unwrap_err());
    assert!(error.message.contains("expire_time"), "{error}");
}
