//! A scripted stand-in for the remote service: it answers what the test tells
//! it to, and remembers who asked what.
#![expect(
    dead_code,
    clippy::unwrap_used,
    reason = "each test binary uses the parts that it needs, and a test stops where its support fails"
)]

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use countersign_client::proto;
use countersign_client::proto::auth_service_server::{AuthService, AuthServiceServer};
use countersign_client::proto::session_service_server::{SessionService, SessionServiceServer};
use futures_util::StreamExt as _;
use proto::validate_token_response::Verdict;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

pub(crate) struct Fake {
    pub(crate) endpoint: String,
    pub(crate) script: Arc<Script>,
    pub(crate) connections: Arc<AtomicUsize>,
}

#[derive(Default)]
pub(crate) struct Script {
    answers: Mutex<VecDeque<Answer>>,
    calls: Mutex<Vec<Call>>,
    verdict: Mutex<Option<Verdict>>,
}

pub(crate) enum Answer {
    Fail(Status),
    Hang,
}

#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) rpc: &'static str,
    pub(crate) authorization: Option<String>,
    pub(crate) timeout: Option<String>,
    pub(crate) at: Instant,
}

impl Fake {
    pub(crate) async fn start() -> Self {
        Self::start_on("127.0.0.1:0".parse().unwrap()).await
    }

    pub(crate) async fn start_on(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let script = Arc::new(Script::default());
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&connections);
        let incoming = TcpIncoming::from(listener).inspect(move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
        });
        let auth = AuthServiceServer::new(FakeAuth(Arc::clone(&script)));
        let sessions = SessionServiceServer::new(FakeSessions(Arc::clone(&script)));
        tokio::spawn(
            Server::builder()
                .add_service(auth)
                .add_service(sessions)
                .serve_with_incoming(incoming),
        );
        Self {
            endpoint: format!("http://{address}"),
            script,
            connections,
        }
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Script {
    /// The answers to the next calls; after them everything succeeds.
    pub(crate) fn next(&self, answers: impl IntoIterator<Item = Answer>) {
        self.answers.lock().unwrap().extend(answers);
    }

    /// What ValidateToken answers; a good verdict of five minutes otherwise.
    pub(crate) fn set_verdict(&self, verdict: Verdict) {
        *self.verdict.lock().unwrap() = Some(verdict);
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.calls.lock().unwrap().len()
    }

    async fn play<T>(&self, rpc: &'static str, request: &Request<T>) -> Result<(), Status> {
        let metadata = |name| {
            let value = request.metadata().get(name)?;
            Some(value.to_str().unwrap().to_owned())
        };
        self.calls.lock().unwrap().push(Call {
            rpc,
            authorization: metadata("authorization"),
            timeout: metadata("grpc-timeout"),
            at: now(),
        });
        let answer = self.answers.lock().unwrap().pop_front();
        match answer {
            Some(Answer::Fail(status)) => Err(status),
            Some(Answer::Hang) => std::future::pending().await,
            None => Ok(()),
        }
    }

    fn validated(&self) -> proto::ValidateTokenResponse {
        let verdict = self.verdict.lock().unwrap().clone();
        proto::ValidateTokenResponse {
            verdict: Some(
                verdict.unwrap_or_else(|| Verdict::Valid(claims(Duration::from_secs(300)))),
            ),
        }
    }
}

/// The present.
#[expect(clippy::disallowed_methods, reason = "measures when calls arrive")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Claims of a token that expires after `lifetime`.
#[expect(
    clippy::disallowed_methods,
    reason = "stands in for a service with a clock of its own"
)]
pub(crate) fn claims(lifetime: Duration) -> proto::Claims {
    let now = SystemTime::now();
    proto::Claims {
        issuer: "https://countersign.test".into(),
        subject: "user-1".into(),
        audience: vec!["orders".into()],
        expire_time: Some((now + lifetime).into()),
        issue_time: Some(now.into()),
        token_id: "token-1".into(),
        client_id: "web".into(),
        session_id: "session-1".into(),
        group_id: "default".into(),
        scopes: vec!["orders.read".into()],
        roles: vec!["clerk".into()],
        authentication_methods: vec!["pwd".into()],
        authentication_time: Some(now.into()),
        external_id: String::new(),
        is_service_account: false,
        acr: "aal1".into(),
    }
}

/// A status as the service makes them.
pub(crate) fn status(code: Code, reason: &str, details: impl FnOnce(&mut ErrorDetails)) -> Status {
    let mut all = ErrorDetails::with_error_info(reason, "countersign", HashMap::new());
    details(&mut all);
    Status::with_error_details(code, format!("it is {reason}"), all)
}

/// UNAVAILABLE, with RetryInfo.
pub(crate) fn unavailable(retry_after: Duration) -> Answer {
    Answer::Fail(status(
        Code::Unavailable,
        "DEPENDENCY_UNAVAILABLE",
        |details| {
            details.set_retry_info(Some(retry_after));
        },
    ))
}

/// The service alone, to be served in some other way.
pub(crate) fn auth_service() -> AuthServiceServer<impl AuthService> {
    AuthServiceServer::new(FakeAuth(Arc::default()))
}

fn tokens() -> proto::Tokens {
    proto::Tokens {
        access_token: "access-2".into(),
        refresh_token: "refresh-2".into(),
        session_id: "session-1".into(),
        user_id: "user-1".into(),
        ..Default::default()
    }
}

macro_rules! played {
    ($service:ident for $fake:ident:
     $($rpc:ident: $request:ident -> $response:ident = $answer:expr;)+) => {
        struct $fake(Arc<Script>);

        #[tonic::async_trait]
        impl $service for $fake {
            $(async fn $rpc(
                &self,
                request: Request<proto::$request>,
            ) -> Result<Response<proto::$response>, Status> {
                self.0.play(stringify!($rpc), &request).await?;
                let answer: fn(&Script) -> proto::$response = $answer;
                Ok(Response::new(answer(&self.0)))
            })+
        }
    };
}

played! { AuthService for FakeAuth:
    sign_up: SignUpRequest -> SignUpResponse = |_| Default::default();
    confirm_sign_up: ConfirmSignUpRequest -> ConfirmSignUpResponse = |_| Default::default();
    begin_passkey_sign_in: BeginPasskeySignInRequest -> BeginPasskeySignInResponse =
        |_| Default::default();
    begin_federated_sign_in: BeginFederatedSignInRequest -> BeginFederatedSignInResponse =
        |_| Default::default();
    issue_tokens: IssueTokensRequest -> IssueTokensResponse = |_| Default::default();
    refresh_tokens: RefreshTokensRequest -> RefreshTokensResponse =
        |_| proto::RefreshTokensResponse { tokens: Some(tokens()) };
    validate_token: ValidateTokenRequest -> ValidateTokenResponse = Script::validated;
    validate_tokens: ValidateTokensRequest -> ValidateTokensResponse = |_| Default::default();
    revoke_token: RevokeTokenRequest -> RevokeTokenResponse = |_| Default::default();
    change_password: ChangePasswordRequest -> ChangePasswordResponse = |_| Default::default();
    start_password_reset: StartPasswordResetRequest -> StartPasswordResetResponse =
        |_| Default::default();
    reset_password: ResetPasswordRequest -> ResetPasswordResponse = |_| Default::default();
    list_signing_keys: ListSigningKeysRequest -> ListSigningKeysResponse = |_| Default::default();
}

played! { SessionService for FakeSessions:
    list_sessions: ListSessionsRequest -> ListSessionsResponse = |_| Default::default();
    get_session: GetSessionRequest -> GetSessionResponse = |_| Default::default();
    revoke_session: RevokeSessionRequest -> RevokeSessionResponse = |_| Default::default();
    revoke_user_sessions: RevokeUserSessionsRequest -> RevokeUserSessionsResponse =
        |_| Default::default();
    begin_step_up_assertion: BeginStepUpAssertionRequest -> BeginStepUpAssertionResponse =
        |_| Default::default();
    send_step_up_code: SendStepUpCodeRequest -> SendStepUpCodeResponse =
        |_| Default::default();
    step_up_session: StepUpSessionRequest -> StepUpSessionResponse = |_| Default::default();
    create_mfa_session: CreateMfaSessionRequest -> CreateMfaSessionResponse =
        |_| Default::default();
    begin_mfa_assertion: BeginMfaAssertionRequest -> BeginMfaAssertionResponse =
        |_| Default::default();
    send_mfa_code: SendMfaCodeRequest -> SendMfaCodeResponse =
        |_| Default::default();
    validate_mfa_session: ValidateMfaSessionRequest -> ValidateMfaSessionResponse =
        |_| Default::default();
}
