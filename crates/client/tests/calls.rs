//! Calls over real connections: what is repeated and what never is, deadlines,
//! the API key and the pool.
#![expect(clippy::unwrap_used, reason = "a test stops where its helpers fail")]

mod support;

use std::net::SocketAddr;
use std::time::Duration;

use countersign_client::{Client, ErrorReason, Requirement, ValidateError, proto};
use support::{Answer, Fake, now, unavailable};
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
        answer => panic!("an answer: {answer:?}"),
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
    let start = now();
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
    let (mut auth, mut sessions) = (client.auth(), client.sessions());
    once_down();
    let request = proto::RevokeTokenRequest::default();
    auth.revoke_token(request).await.unwrap();
    once_down();
    let request = proto::ListSigningKeysRequest::default();
    auth.list_signing_keys(request).await.unwrap();
    once_down();
    let request = proto::ValidateTokensRequest::default();
    auth.validate_tokens(request).await.unwrap();
    once_down();
    let request = proto::GetSessionRequest::default();
    sessions.get_session(request).await.unwrap();
    once_down();
    let request = proto::ListSessionsRequest::default();
    sessions.list_sessions(request).await.unwrap();
    once_down();
    let request = proto::RevokeSessionRequest::default();
    sessions.revoke_session(request).await.unwrap();
    once_down();
    let request = proto::RevokeUserSessionsRequest::default();
    sessions.revoke_user_sessions(request).await.unwrap();
    assert_eq!(fake.script.count(), 16);
}

#[tokio::test]
async fn what_acts_twice_is_never_repeated() {
    let fake = Fake::start().await;
    let client = client(&fake);
    let mut auth = client.auth();
    fake.script
        .next((0..9).map(|_| unavailable(Duration::from_millis(1))));
    let request = proto::IssueTokensRequest::default();
    auth.issue_tokens(request).await.unwrap_err();
    let request = proto::SignUpRequest::default();
    auth.sign_up(request).await.unwrap_err();
    let request = proto::ConfirmSignUpRequest::default();
    auth.confirm_sign_up(request).await.unwrap_err();
    let request = proto::ChangePasswordRequest::default();
    auth.change_password(request).await.unwrap_err();
    let request = proto::ResetPasswordRequest::default();
    auth.reset_password(request).await.unwrap_err();
    assert_eq!(fake.script.count(), 5);
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
    let start = now();
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
    let start = now();
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
    let start = now();
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
    let start = now();
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
async fn an_old_connection_is_replaced_by_one_other() {
    let fake = Fake::start().await;
    let client = Client::builder(&fake.endpoint)
        .connections(1)
        .connection_age(Duration::from_millis(500))
        .build()
        .unwrap();
    validate(&client).await.unwrap();
    tokio::time::sleep(Duration::from_millis(510)).await;
    let calls = (0..50).map(|_| validate(&client));
    for result in futures_util::future::join_all(calls).await {
        result.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(fake.connections(), 2);
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
