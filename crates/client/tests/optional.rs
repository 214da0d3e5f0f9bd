//! Handlers that serve people who are signed in and others alike: who counts as
//! anonymous, and that a bad token or an outage never does.
#![expect(clippy::unwrap_used, reason = "a test stops where its helpers fail")]

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use countersign_client::{
    Identity, ProtectLayer, RequestExt as _, Requirement, TestIssuer, VerifyToken as _,
};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::BodyExt as _;
use tonic::{Code, Status};
use tower::{Layer as _, ServiceExt as _, service_fn};

fn app(issuer: &TestIssuer) -> Router {
    async fn greet(identity: Option<Identity>) -> String {
        identity.map_or_else(|| "a guest".to_owned(), |identity| identity.user_id.clone())
    }
    async fn who(identity: Identity) -> String {
        identity.user_id.clone()
    }
    let optional = ProtectLayer::new(issuer.verifier())
        .audience("orders")
        .require_scope("orders.read")
        .allow_anonymous();
    Router::new()
        .route("/greet", get(greet))
        .route("/who", get(who))
        .layer(optional)
        .route("/unprotected", get(greet))
}

/// The status, the challenge and the body of the answer to a request with these
/// values of `Authorization`.
async fn call(app: Router, path: &str, values: &[&str]) -> (StatusCode, Option<String>, String) {
    let mut request = Request::get(path);
    for value in values {
        request = request.header("authorization", *value);
    }
    let request = request.body(Body::empty()).unwrap();
    let response = app.oneshot(request).await.unwrap();
    let status = response.status();
    let challenge = response.headers().get("www-authenticate");
    let challenge = challenge.map(|value| value.to_str().unwrap().to_owned());
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, challenge, String::from_utf8(body.to_vec()).unwrap())
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[tokio::test]
async fn a_request_without_a_token_passes_without_an_identity() {
    let issuer = TestIssuer::for_audience("orders");
    let (status, _, body) = call(app(&issuer), "/greet", &[]).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "a guest"));
    // There is nothing to ask, so it does not matter that nobody can tell.
    issuer.set_unavailable(true);
    let (status, _, body) = call(app(&issuer), "/greet", &[]).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "a guest"));
}

#[tokio::test]
async fn a_good_token_passes_with_its_identity() {
    let issuer = TestIssuer::for_audience("orders");
    let token = issuer.token("user-1").scope("orders.read").sign();
    for path in ["/greet", "/who"] {
        let (status, _, body) = call(app(&issuer), path, &[&bearer(&token)]).await;
        assert_eq!((status, body.as_str()), (StatusCode::OK, "user-1"));
    }
}

#[tokio::test]
async fn a_bad_token_is_refused_and_not_taken_for_none() {
    let issuer = TestIssuer::for_audience("orders");
    let read = || issuer.token("user-1").scope("orders.read");
    issuer.end_session("ended");
    for (token, expected) in [
        (read().expired().sign(), StatusCode::UNAUTHORIZED),
        (read().session("ended").sign(), StatusCode::UNAUTHORIZED),
        (read().audience("invoices").sign(), StatusCode::UNAUTHORIZED),
        ("nonsense".to_owned(), StatusCode::UNAUTHORIZED),
        (issuer.token("user-1").sign(), StatusCode::FORBIDDEN),
    ] {
        let (status, challenge, _) = call(app(&issuer), "/greet", &[&bearer(&token)]).await;
        assert_eq!(status, expected);
        assert!(challenge.unwrap().starts_with("Bearer error="));
    }
}

#[tokio::test]
async fn credentials_that_are_no_single_token_are_refused() {
    let issuer = TestIssuer::for_audience("orders");
    let token = bearer(&issuer.token("user-1").scope("orders.read").sign());
    for values in [
        &[token.as_str(), token.as_str()][..],
        &["Bearer"],
        &["Bearer "],
        &[""],
        &["Basic dXNlcjpwdw=="],
    ] {
        let (status, challenge, _) = call(app(&issuer), "/greet", values).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{values:?}");
        assert_eq!(challenge.as_deref(), Some("Bearer"));
    }
}

#[tokio::test]
async fn a_token_that_cannot_be_checked_is_not_taken_for_none() {
    let issuer = TestIssuer::for_audience("orders");
    let token = issuer.token("user-1").scope("orders.read").sign();
    issuer.set_unavailable(true);
    let (status, challenge, body) = call(app(&issuer), "/greet", &[&bearer(&token)]).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(challenge, None);
    assert!(!body.contains("guest"), "{body}");
}

#[tokio::test]
async fn a_handler_that_needs_an_identity_challenges_who_comes_without() {
    let issuer = TestIssuer::for_audience("orders");
    let (status, challenge, body) = call(app(&issuer), "/who", &[]).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(challenge.as_deref(), Some("Bearer"));
    assert!(body.contains("an access token is required"), "{body}");
}

#[tokio::test]
async fn without_a_layer_no_identity_would_be_a_guess() {
    let issuer = TestIssuer::for_audience("orders");
    let (status, _, _) = call(app(&issuer), "/unprotected", &[]).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    let request = tonic::Request::new(());
    let status = request.optional_identity().unwrap_err();
    assert_eq!(status.code(), Code::Internal);
}

/// What a tonic handler finds behind a layer that allows anonymous requests.
async fn found_by_tonic(
    issuer: &TestIssuer,
    headers: HeaderMap,
) -> (Result<String, Status>, Result<Option<String>, Status>) {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let handler = service_fn(move |request: Request<tonic::body::Body>| {
        let sender = sender.clone();
        async move {
            let request = tonic::Request::from_http(request);
            let required = request.identity().map(|found| found.user_id.clone());
            let optional = request.optional_identity();
            let optional = optional.map(|found| found.map(|found| found.user_id.clone()));
            sender.send((required, optional)).await.unwrap();
            Ok::<_, Status>(http::Response::new(tonic::body::Body::empty()))
        }
    });
    let layer = ProtectLayer::new(issuer.verifier()).allow_anonymous();
    let mut request = Request::new(tonic::body::Body::empty());
    *request.headers_mut() = headers;
    layer.layer(handler).oneshot(request).await.unwrap();
    receiver.recv().await.unwrap()
}

#[tokio::test]
async fn a_tonic_handler_may_ask_for_either() {
    let issuer = TestIssuer::new();
    let (required, optional) = found_by_tonic(&issuer, HeaderMap::new()).await;
    assert_eq!(required.unwrap_err().code(), Code::Unauthenticated);
    assert_eq!(optional.unwrap(), None);

    let token = issuer.token("user-1").sign();
    let verified = issuer.verifier().verify(&token, &Requirement::new()).await;
    let value = HeaderValue::try_from(bearer(&token)).unwrap();
    let headers = HeaderMap::from_iter([(http::header::AUTHORIZATION, value)]);
    let (required, optional) = found_by_tonic(&issuer, headers).await;
    let user_id = verified.unwrap().user_id.clone();
    assert_eq!(required.unwrap(), user_id);
    assert_eq!(optional.unwrap(), Some(user_id));
}
