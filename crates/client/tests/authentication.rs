//! What a service requires of the person's authentication (RFC 9470): asked of the
//! service, judged by the test issuer, and answered with the challenge.
#![expect(clippy::unwrap_used, reason = "a test stops where its helpers fail")]

mod support;

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::post;
use countersign_client::{
    Acr, Client, Identity, InsufficientAuthentication, ProtectLayer, RejectionReason, Requirement,
    TestIssuer, ValidateError, Verifier, VerifyToken as _, proto,
};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use proto::validate_token_response::Verdict;
use support::Fake;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use tower::ServiceExt as _;

const MINUTE: Duration = Duration::from_secs(60);

fn app(issuer: &TestIssuer) -> Router {
    async fn pay(_: Identity) -> &'static str {
        "paid"
    }
    async fn close(identity: Identity) -> Result<&'static str, InsufficientAuthentication> {
        identity.require_acr(Acr::Aal2)?;
        identity.require_authentication_within(2 * MINUTE)?;
        Ok("closed")
    }
    let protect = || ProtectLayer::new(issuer.verifier());
    let paying = protect()
        .require_acr(Acr::Aal2)
        .require_authentication_within(5 * MINUTE);
    Router::new()
        .route("/pay", post(pay).route_layer(paying))
        .route("/close", post(close).route_layer(protect()))
}

async fn call(app: Router, path: &str, token: &str) -> Response<Body> {
    let request = Request::post(path).header("authorization", format!("Bearer {token}"));
    app.oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap()
}

fn challenge(response: &Response<Body>) -> String {
    let header = response.headers().get("www-authenticate").unwrap();
    header.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn who_has_shown_enough_gets_through() {
    let issuer = TestIssuer::new();
    let token = issuer.token("user-1").acr(Acr::Aal2).sign();
    for path in ["/pay", "/close"] {
        let response = call(app(&issuer), path, &token).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn what_is_lacking_is_in_the_challenge() {
    let issuer = TestIssuer::new();
    let new = || issuer.token("user-1");
    let old = || new().authenticated_ago(Duration::from_secs(301));
    for (token, lacking, parameters) in [
        (new(), "aal2 is required", ", acr_values=\"aal2\""),
        (
            old().acr(Acr::Aal2),
            "the person must have been authenticated in the last 300 s",
            ", max_age=\"300\"",
        ),
        (
            old(),
            "aal2 is required, and the person must have been authenticated in the last 300 s",
            ", acr_values=\"aal2\", max_age=\"300\"",
        ),
    ] {
        let response = call(app(&issuer), "/pay", &token.sign()).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        let expected = format!(
            "Bearer error=\"insufficient_user_authentication\", \
             error_description=\"{lacking}\"{parameters}"
        );
        assert_eq!(challenge(&response), expected);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem["rejection"], "INSUFFICIENT_USER_AUTHENTICATION");
        assert_eq!(problem["detail"], lacking);
    }
}

#[tokio::test]
async fn a_handler_guards_itself() {
    let issuer = TestIssuer::new();
    let response = call(app(&issuer), "/close", &issuer.token("user-1").sign()).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(challenge(&response).ends_with("acr_values=\"aal2\""));
    let old = issuer.token("user-1").acr(Acr::Aal2);
    let old = old.authenticated_ago(Duration::from_secs(121)).sign();
    let response = call(app(&issuer), "/close", &old).await;
    assert!(challenge(&response).ends_with("max_age=\"120\""));
}

#[test]
fn grpc_callers_are_told_the_same() {
    let lacking = InsufficientAuthentication::new(Some(MINUTE), Some(Acr::Aal2));
    let status = Status::from(lacking);
    assert_eq!(status.code(), Code::Unauthenticated);
    let details = status.get_error_details();
    let metadata = &details.error_info().unwrap().metadata;
    assert_eq!(metadata["rejection"], "INSUFFICIENT_USER_AUTHENTICATION");
    assert_eq!(metadata["acr_values"], "aal2");
    assert_eq!(metadata["max_age"], "60");
}

fn verifier(fake: &Fake) -> Verifier {
    Verifier::new(Client::builder(&fake.endpoint).build().unwrap())
}

fn required() -> Requirement {
    Requirement::new()
        .with_acr(Acr::Aal2)
        .with_max_authentication_age(5 * MINUTE)
}

fn lacking(
    max_age: Option<prost_types::Duration>,
    acr_values: &[&str],
) -> InsufficientAuthentication {
    let rejection = proto::Rejection {
        reason: RejectionReason::InsufficientUserAuthentication.into(),
        max_authentication_age: max_age,
        acr_values: acr_values.iter().map(|value| (*value).to_owned()).collect(),
    };
    match ValidateError::from(rejection) {
        ValidateError::InsufficientAuthentication(lacking) => lacking,
        other => panic!("expected what is lacking, got {other:?}"),
    }
}

#[test]
fn the_answer_of_the_service_is_read() {
    let five_minutes = prost_types::Duration {
        seconds: 300,
        nanos: 0,
    };
    let both = lacking(Some(five_minutes), &["aal2"]);
    assert_eq!(both.max_age, Some(5 * MINUTE));
    assert_eq!(both.acr, Some(Acr::Aal2));
    assert_eq!(lacking(None, &["aal2", "aal1"]).acr, Some(Acr::Aal1));
    assert_eq!(lacking(None, &["of a later release"]).acr, Some(Acr::Aal2));
}

#[tokio::test]
async fn a_no_of_the_service_is_not_remembered() {
    let fake = Fake::start().await;
    let verifier = verifier(&fake);
    let rejection = proto::Rejection {
        reason: RejectionReason::InsufficientUserAuthentication.into(),
        acr_values: vec!["aal2".into()],
        ..Default::default()
    };
    fake.script.set_verdict(Verdict::Rejected(rejection));
    for _ in 0..2 {
        let error = verifier.verify("token", &required()).await.unwrap_err();
        let lacking = InsufficientAuthentication::new(None, Some(Acr::Aal2));
        assert_eq!(error, ValidateError::InsufficientAuthentication(lacking));
    }
    assert_eq!(fake.script.count(), 2);
}

/// An earlier release passes over what it does not know, and says yes.
#[tokio::test]
async fn a_yes_of_a_service_that_did_not_judge_is_none() {
    let fake = Fake::start().await;
    let verifier = verifier(&fake);
    let claims = proto::Claims {
        acr: String::new(),
        ..support::claims(5 * MINUTE)
    };
    fake.script.set_verdict(Verdict::Valid(claims));
    for required in [
        required(),
        Requirement::new().with_acr(Acr::Aal1),
        Requirement::new().with_max_authentication_age(MINUTE),
    ] {
        let error = verifier.verify("token", &required).await.unwrap_err();
        assert!(matches!(error, ValidateError::CouldNotTell(_)), "{error}");
    }
    let plain = verifier.verify("token", &Requirement::new()).await;
    assert!(!plain.unwrap().has_acr(Acr::Aal2));
}
