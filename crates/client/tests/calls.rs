//! Calls over real connections: what is repeated and what never is, deadlines,
//! the API key, the pool, and telling a refusal from no answer.
#![expect(clippy::unwrap_used, reason = "a test stops where its helpers fail")]

mod support;

use std::net::SocketAddr;
use std::time::Duration;

use countersign_client::{
    Client, Error, ErrorReason, RejectionReason, Requirement, ValidateError, Violation, proto,
};
use proto::validate_token_response::Verdict;
use support::{Answer, Fake, status, unavailable};
use tokio::time::Instant;
use tonic::{Code, Request, Status};

fn client(fake: &Fake) -> Client {
    Client::builder(&fake.endpoint).build().unwrap()
}

async fn validate(client: &Client) -> Result<countersign_client::Identity, ValidateError> {
    client.validate_token("token", &Requirement::new()).await
}

fn could_not_tell(error: ValidateError) -> countersign_client::CouldNotTell {
    match error {
        ValidateError::CouldNotTell(could_not_tell) => could_not_tell,
        ValidateError::Rejected(reason) => panic!("rejected: {reason:?}"),
    }
}

#[tokio::test]
async fn a_validation_is_repeated_after_the_pause_that_the_service_asks_for() {
    let fake = Fake::start().await;
    let asked = Duration::from_millis(150);
    fake.script.next([unavailable(asked)]);
    let identity = validate(&client(&fake)).await.unwrap();
    assert_eq!(identity.user_id, "user-1");
    let calls = fake.script.calls();
    assert_eq!(calls.len(), 2);
    assert!(calls[1].at - calls[0].at >= asked);
}

#[tokio::test]
async fn a_service_that_stays_unavailable_is_asked_four_times() {
    let fake = Fake::start().await;
    fake.script
        .next((0..9).map(|_| Answer::Fail(Status::unavailable("down"))));
    let error = could_not_tell(validate(&client(&fake)).await.unwrap_err());
    assert_eq!(error.code, Code::Unavailable);
    assert_eq!(fake.script.count(), 4);
}

#[tokio::test]
async fn a_pause_beyond_the_deadline_is_not_waited_for() {
    let fake = Fake::start().await;
    fake.script.next([unavailable(Duration::from_secs(60))]);
    let start = Instant::now();
    let error = could_not_tell(validate(&client(&fake)).await.unwrap_err());
    assert!(start.elapsed() < Duration::from_secs(1));
    assert_eq!(error.retry_after, Some(Duration::from_secs(60)));
    assert_eq!(error.reason, Some(ErrorReason::DependencyUnavailable));
    assert_eq!(fake.script.count(), 1);
}

#[tokio::test]
async fn whatever_is_safe_to_repeat_is_repeated() {
    let fake = Fake::start().await;
    let client = client(&fake);
    let once_down = || fake.script.next([unavailable(Duration::from_millis(1))]);
    once_down();
    let tokens = client.refresh_tokens("refresh-1", None).await.unwrap();
    assert_eq!(tokens.refresh_token, "refresh-2");
    once_down();
    let request = proto::RevokeTokenRequest::default();
    client.auth().revoke_token(request).await.unwrap();
    once_down();
    let request = proto::ListSigningKeysRequest::default();
    client.auth().list_signing_keys(request).await.unwrap();
    once_down();
    let request = proto::ValidateTokensRequest::default();
    client.auth().validate_tokens(request).await.unwrap();
    assert_eq!(fake.script.count(), 8);
}

#[tokio::test]
async fn what_acts_twice_is_never_repeated() {
    let fake = Fake::start().await;
    let mut auth = client(&fake).auth();
    let down = || fake.script.next([unavailable(Duration::from_millis(1))]);
    down();
    let request = proto::IssueTokensRequest::default();
    auth.issue_tokens(request).await.unwrap_err();
    down();
    let request = proto::SignUpRequest::default();
    auth.sign_up(request).await.unwrap_err();
    down();
    let request = proto::ResetPasswordRequest::default();
    auth.reset_password(request).await.unwrap_err();
    let rpcs: Vec<_> = fake.script.calls().iter().map(|call| call.rpc).collect();
    assert_eq!(rpcs, ["issue_tokens", "sign_up", "reset_password"]);
}

#[tokio::test]
async fn an_error_other_than_unavailable_is_not_repeated() {
    let fake = Fake::start().await;
    fake.script
        .next([Answer::Fail(Status::internal("a fault"))]);
    let error = could_not_tell(validate(&client(&fake)).await.unwrap_err());
    assert_eq!(error.code, Code::Internal);
    assert_eq!(fake.script.count(), 1);
}

#[tokio::test]
async fn a_service_that_hangs_costs_no_more_than_the_deadline() {
    let fake = Fake::start().await;
    fake.script.next([Answer::Hang]);
    let client = Client::builder(&fake.endpoint)
        .validation_timeout(Duration::from_millis(200))
        .build()
        .unwrap();
    let start = Instant::now();
    let error = could_not_tell(validate(&client).await.unwrap_err());
    assert_eq!(error.code, Code::DeadlineExceeded);
    assert!(start.elapsed() >= Duration::from_millis(190));
    assert!(start.elapsed() < Duration::from_secs(1));
    let told = fake.script.calls()[0].timeout.clone().unwrap();
    let micros: u32 = told.strip_suffix('u').unwrap().parse().unwrap();
    assert!((1..=200_000).contains(&micros), "{told}");
}

#[tokio::test]
async fn the_deadline_holds_over_all_repetitions() {
    let fake = Fake::start().await;
    fake.script
        .next([unavailable(Duration::from_millis(150)), Answer::Hang]);
    let client = Client::builder(&fake.endpoint)
        .validation_timeout(Duration::from_millis(300))
        .build()
        .unwrap();
    let start = Instant::now();
    let error = could_not_tell(validate(&client).await.unwrap_err());
    assert_eq!(error.code, Code::DeadlineExceeded);
    assert!(start.elapsed() < Duration::from_secs(1));
    assert_eq!(fake.script.count(), 2);
}

#[tokio::test]
async fn a_call_may_set_its_own_deadline() {
    let fake = Fake::start().await;
    fake.script.next([Answer::Hang]);
    let mut request = Request::new(proto::IssueTokensRequest::default());
    request.set_timeout(Duration::from_millis(100));
    let start = Instant::now();
    let status = client(&fake).auth().issue_tokens(request).await;
    assert_eq!(status.unwrap_err().code(), Code::DeadlineExceeded);
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn where_nobody_listens_nobody_can_tell() {
    let address = free_address();
    let client = Client::builder(format!("http://{address}"))
        .build()
        .unwrap();
    let error = could_not_tell(validate(&client).await.unwrap_err());
    assert_eq!(error.code, Code::Unavailable);
    assert!(error.message.contains("refused"), "{}", error.message);
}

#[test]
fn a_service_that_restarts_is_found_again() {
    let address = free_address();
    let serve = || {
        let runtime = runtime();
        let fake = runtime.block_on(Fake::start_on(address));
        (runtime, fake)
    };
    let (first, fake) = serve();
    let client = client(&fake);
    let here = runtime();
    for _ in 0..4 {
        here.block_on(validate(&client)).unwrap();
    }
    drop(first);
    let error = could_not_tell(here.block_on(validate(&client)).unwrap_err());
    assert_eq!(error.code, Code::Unavailable);
    let _second = serve();
    here.block_on(validate(&client)).unwrap();
}

#[test]
fn a_client_outlives_the_runtime_that_opened_its_connections() {
    let service = runtime();
    let fake = service.block_on(Fake::start());
    let client = client(&fake);
    for _ in 0..3 {
        let own = runtime();
        own.block_on(async {
            for _ in 0..4 {
                validate(&client).await.unwrap();
            }
        });
    }
}

#[tokio::test]
async fn several_connections_are_opened_and_used_in_turn() {
    let fake = Fake::start().await;
    let client = client(&fake);
    assert_eq!(fake.connections(), 0);
    for _ in 0..12 {
        validate(&client).await.unwrap();
    }
    assert_eq!(fake.connections(), 4);

    let fake = Fake::start().await;
    let client = Client::builder(&fake.endpoint)
        .connections(2)
        .build()
        .unwrap();
    for _ in 0..12 {
        validate(&client).await.unwrap();
    }
    assert_eq!(fake.connections(), 2);
}

#[tokio::test]
async fn an_old_connection_is_replaced_while_calls_go_on() {
    let fake = Fake::start().await;
    let client = Client::builder(&fake.endpoint)
        .connections(1)
        .connection_age(Duration::from_millis(100))
        .build()
        .unwrap();
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(600) {
        validate(&client).await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(
        (3..=7).contains(&fake.connections()),
        "{}",
        fake.connections()
    );
}

#[tokio::test]
async fn the_api_key_goes_with_every_call_and_nothing_takes_its_place() {
    let fake = Fake::start().await;
    let client = Client::builder(&fake.endpoint)
        .api_key("csk_key")
        .build()
        .unwrap();
    validate(&client).await.unwrap();
    let mut request = Request::new(proto::IssueTokensRequest::default());
    let forwarded = "Bearer of-a-person".parse().unwrap();
    request.metadata_mut().insert("authorization", forwarded);
    client.auth().issue_tokens(request).await.unwrap();
    for call in fake.script.calls() {
        assert_eq!(call.authorization.as_deref(), Some("Bearer csk_key"));
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

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

fn free_address() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}
