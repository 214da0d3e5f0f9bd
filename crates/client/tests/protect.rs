//! The layer in front of axum and tonic services: who gets through, and what
//! the others are told in their own protocol.
#![expect(clippy::unwrap_used, reason = "a test stops where its helpers fail")]

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use countersign_client::{
    CouldNotTell, Identity, InsufficientScope, ProtectLayer, RejectionReason, RequestExt as _,
    Requirement, TestIssuer, TestVerifier, ValidateError, VerifyToken, async_trait,
};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt as _;
use tower::{Layer as _, ServiceExt as _};

fn layer(issuer: &TestIssuer) -> ProtectLayer<TestVerifier> {
    ProtectLayer::new(issuer.verifier())
        .audience("orders")
        .require_scope("orders.read")
}

fn app(issuer: &TestIssuer) -> Router {
    async fn who(identity: Identity) -> String {
        format!("{} in {}", identity.user_id, identity.group_id)
    }
    async fn change(identity: Identity) -> Result<&'static str, InsufficientScope> {
        identity.require_scope("orders.write")?;
        Ok("changed")
    }
    Router::new()
        .route("/who", get(who))
        .route("/change", get(change))
        .layer(layer(issuer))
        .route("/open", get(who))
}

async fn call(app: Router, path: &str, authorization: Option<&str>) -> Response<Body> {
    let mut request = Request::get(path);
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    app.oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap()
}

fn header<'a, B>(response: &'a Response<B>, name: &str) -> Option<&'a str> {
    Some(response.headers().get(name)?.to_str().unwrap())
}

async fn problem(response: Response<Body>) -> serde_json::Value {
    assert_eq!(
        header(&response, "content-type"),
        Some("application/problem+json")
    );
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(problem["status"], status);
    problem
}

#[tokio::test]
async fn a_good_token_gets_through_with_its_identity() {
    let issuer = TestIssuer::for_audience("orders");
    let token = issuer
        .token("user-1")
        .group("shop")
        .scope("orders.read")
        .sign();
    let response = call(app(&issuer), "/who", Some(&format!("Bearer {token}"))).await;
    assert_eq!(response.status(), StatusCode::OK);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "user-1 in shop");
}

#[tokio::test]
async fn a_request_without_a_token_is_challenged_without_an_error() {
    let issuer = TestIssuer::new();
    for authorization in [None, Some("Basic dXNlcjpwdw=="), Some("Bearer ")] {
        let response = call(app(&issuer), "/who", authorization).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(header(&response, "www-authenticate"), Some("Bearer"));
        assert_eq!(
            problem(response).await,
            serde_json::json!({
                "type": "about:blank",
                "title": "Unauthorized",
                "status": 401,
                "detail": "an access token is required",
            })
        );
    }
}

#[tokio::test]
async fn a_bad_token_is_answered_with_its_reason() {
    let issuer = TestIssuer::for_audience("orders");
    let read = || issuer.token("user-1").scope("orders.read");
    issuer.end_session("ended");
    let foreign = TestIssuer::for_audience("orders");
    let mut altered = read().sign();
    altered.pop();
    for (token, rejection) in [
        (read().expired().sign(), "EXPIRED"),
        (read().audience("invoices").sign(), "WRONG_AUDIENCE"),
        (read().session("ended").sign(), "REVOKED"),
        (foreign.token("user-1").sign(), "UNKNOWN_KEY"),
        (altered, "MALFORMED"),
        ("nonsense".to_owned(), "MALFORMED"),
    ] {
        let response = call(app(&issuer), "/who", Some(&format!("Bearer {token}"))).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        let challenge = header(&response, "www-authenticate").unwrap().to_owned();
        assert!(
            challenge.starts_with("Bearer error=\"invalid_token\", error_description=\""),
            "{challenge}"
        );
        assert_eq!(problem(response).await["rejection"], rejection);
    }
}

#[tokio::test]
async fn a_missing_scope_is_forbidden_by_the_layer_and_by_the_guard() {
    let issuer = TestIssuer::for_audience("orders");
    let without = issuer.token("user-1").sign();
    let response = call(app(&issuer), "/who", Some(&format!("Bearer {without}"))).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(
        header(&response, "www-authenticate"),
        Some("Bearer error=\"insufficient_scope\", scope=\"orders.read\"")
    );
    assert_eq!(problem(response).await["rejection"], "INSUFFICIENT_SCOPE");

    let reader = issuer.token("user-1").scope("orders.read").sign();
    let response = call(app(&issuer), "/change", Some(&format!("Bearer {reader}"))).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(
        header(&response, "www-authenticate"),
        Some("Bearer error=\"insufficient_scope\", scope=\"orders.write\"")
    );

    let writer = issuer
        .token("user-1")
        .scope("orders.read")
        .scope("orders.write")
        .sign();
    let response = call(app(&issuer), "/change", Some(&format!("Bearer {writer}"))).await;
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_service_that_cannot_tell_is_unavailable_and_signs_nobody_out() {
    let issuer = TestIssuer::for_audience("orders");
    let token = issuer.token("user-1").scope("orders.read").sign();
    issuer.set_unavailable(true);
    let response = call(app(&issuer), "/who", Some(&format!("Bearer {token}"))).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(header(&response, "retry-after"), Some("1"));
    assert_eq!(header(&response, "www-authenticate"), None);
    problem(response).await;
    issuer.set_unavailable(false);
    let response = call(app(&issuer), "/who", Some(&format!("Bearer {token}"))).await;
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn what_is_not_there_stays_not_found_behind_a_route_layer() {
    let issuer = TestIssuer::for_audience("orders");
    let routes = || Router::new().route("/who", get(|| async { "in" }));
    let app = routes().route_layer(layer(&issuer));
    let response = call(app.clone(), "/nowhere", None).await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    let response = call(app, "/who", None).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    // A layer is around what is not there, too.
    let response = call(routes().layer(layer(&issuer)), "/nowhere", None).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn trouble_inside_is_not_told_outside() {
    struct Broken;
    #[async_trait]
    impl VerifyToken for Broken {
        async fn verify(&self, _: &str, _: &Requirement) -> Result<Identity, ValidateError> {
            let mut trouble = CouldNotTell::new("10.0.0.7 is down");
            trouble.retry_after = Some(Duration::from_millis(2_100));
            Err(ValidateError::CouldNotTell(trouble))
        }
    }
    let app = Router::new()
        .route("/", get(|| async { "in" }))
        .layer(ProtectLayer::new(Broken));
    let response = call(app, "/", Some("Bearer token")).await;
    assert_eq!(header(&response, "retry-after"), Some("3"));
    assert_eq!(
        problem(response).await["detail"],
        "the access token cannot be checked now"
    );
}

#[tokio::test]
async fn a_handler_that_is_not_protected_fails_instead_of_guessing() {
    let issuer = TestIssuer::for_audience("orders");
    let token = issuer.token("user-1").scope("orders.read").sign();
    let response = call(app(&issuer), "/open", Some(&format!("Bearer {token}"))).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let status = tonic::Request::new(()).identity().unwrap_err();
    assert_eq!(status.code(), Code::Internal);
}

#[tokio::test]
async fn a_tonic_handler_finds_the_identity_in_its_request() {
    let issuer = TestIssuer::new();
    let token = issuer.token("user-1").role("clerk").sign();
    let identity = issuer.verifier().verify(&token, &Requirement::new()).await;
    let mut request = tonic::Request::new(());
    request.extensions_mut().insert(identity.unwrap());
    let identity = request.identity().unwrap();
    assert_eq!(identity.user_id, "user-1");
    assert!(identity.has_role("clerk"));
    let missing = identity.require_scope("orders.write").unwrap_err();
    assert_eq!(Status::from(missing).code(), Code::PermissionDenied);
}

/// A gRPC server with one protected service, or wholly protected.
async fn grpc_server(issuer: &TestIssuer, is_whole: bool) -> HealthClient<Channel> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let incoming = TcpIncoming::from(listener);
    let (_, service) = tonic_health::server::health_reporter();
    if is_whole {
        let server = Server::builder().layer(layer(issuer)).add_service(service);
        tokio::spawn(server.serve_with_incoming(incoming));
    } else {
        let server = Server::builder().add_service(layer(issuer).layer(service));
        tokio::spawn(server.serve_with_incoming(incoming));
    }
    let channel = Endpoint::from_shared(endpoint).unwrap();
    HealthClient::new(channel.connect().await.unwrap())
}

async fn check(client: &mut HealthClient<Channel>, token: Option<&str>) -> Result<(), Status> {
    let mut request = tonic::Request::new(HealthCheckRequest::default());
    if let Some(token) = token {
        let value = format!("Bearer {token}").parse().unwrap();
        request.metadata_mut().insert("authorization", value);
    }
    client.check(request).await.map(|_| ())
}

#[tokio::test]
async fn grpc_callers_are_answered_with_a_status() {
    let issuer = TestIssuer::for_audience("orders");
    for is_whole in [false, true] {
        let mut client = grpc_server(&issuer, is_whole).await;
        let good = issuer.token("user-1").scope("orders.read").sign();
        check(&mut client, Some(&good)).await.unwrap();

        let status = check(&mut client, None).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);
        assert_eq!(status.message(), "an access token is required");

        let expired = issuer.token("user-1").expired().sign();
        let status = check(&mut client, Some(&expired)).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);
        let info = status.get_details_error_info().unwrap();
        assert_eq!(info.reason, "ACCESS_TOKEN_INVALID");
        assert_eq!(info.metadata["rejection"], "EXPIRED");

        let without = issuer.token("user-1").sign();
        let status = check(&mut client, Some(&without)).await.unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied);

        issuer.set_unavailable(true);
        let status = check(&mut client, Some(&good)).await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
        let retry = status.get_details_retry_info().unwrap().retry_delay;
        assert_eq!(retry, Some(Duration::from_secs(1)));
        issuer.set_unavailable(false);
    }
}

#[tokio::test]
async fn a_test_token_is_a_real_one() {
    let issuer = TestIssuer::new();
    let verify = async |token: String| {
        let verifier = issuer.verifier();
        verifier.verify(&token, &Requirement::new()).await
    };
    let token = issuer.token("user-1").sign();
    assert_eq!(token.split('.').count(), 3);
    let identity = verify(token.clone()).await.unwrap();
    assert_eq!(identity.audience, ["test"]);
    assert!(identity.expire_time > identity.issue_time);
    // Another user in the same envelope.
    let other = issuer.token("user-2").sign();
    let mut parts: Vec<&str> = token.split('.').collect();
    parts[1] = other.split('.').nth(1).unwrap();
    assert_eq!(
        verify(parts.join(".")).await.unwrap_err(),
        ValidateError::Rejected(RejectionReason::BadSignature)
    );
}
