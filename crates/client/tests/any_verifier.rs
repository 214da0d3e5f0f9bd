//! A service that does not know what verifies its tokens, and names only this
//! crate: no other one's types are needed to use what is public here.
#![expect(clippy::unwrap_used, reason = "a test stops where its helpers fail")]

mod support;

use std::sync::Arc;

use countersign_client::http::{HeaderMap, Request, Response, StatusCode};
use countersign_client::prost_types::Timestamp;
use countersign_client::tonic::body::Body;
use countersign_client::tonic::{Code, Status};
use countersign_client::{
    Client, Identity, Layer as _, ProtectLayer, Requirement, TestIssuer, ValidateError, Verifier,
    VerifyToken, async_trait, proto,
};
use support::Fake;
use tower::{ServiceExt as _, service_fn};

/// What a service keeps.
#[derive(Clone)]
struct Service {
    verifier: Arc<dyn VerifyToken>,
}

impl Service {
    async fn greet(&self, token: &str) -> Result<String, ValidateError> {
        let required = Requirement::new().with_audience("orders");
        let identity = self.verifier.verify(token, &required).await?;
        Ok(format!("hello, {}", identity.user_id))
    }

    /// The status that its layer answers with.
    async fn call(&self, authorization: &str) -> StatusCode {
        let handler =
            service_fn(|_: Request<Body>| async { Ok::<_, Status>(Response::new(Body::empty())) });
        let layer = ProtectLayer::new(Arc::clone(&self.verifier)).audience("orders");
        let mut request = Request::new(Body::empty());
        let mut headers = HeaderMap::new();
        headers.insert("authorization", authorization.parse().unwrap());
        *request.headers_mut() = headers;
        let answer = layer.layer(handler).oneshot(request).await;
        answer.unwrap().status()
    }
}

#[tokio::test]
async fn a_service_runs_on_the_network_with_or_without_a_memory_and_on_a_fake() {
    let fake = Fake::start().await;
    let client = Client::builder(&fake.endpoint).build().unwrap();
    let issuer = TestIssuer::for_audience("orders");
    let token = issuer.token("user-1").sign();
    let verifiers: [Arc<dyn VerifyToken>; 3] = [
        Arc::new(client.clone()),
        Arc::new(Verifier::new(client)),
        Arc::new(issuer.verifier()),
    ];
    for verifier in verifiers {
        let service = Service { verifier };
        for _ in 0..2 {
            assert_eq!(service.greet(&token).await.unwrap(), "hello, user-1");
        }
        let status = service.call(&format!("Bearer {token}")).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(service.call("Bearer").await, StatusCode::UNAUTHORIZED);
    }
    // The client asked three times, the verifier with its memory once.
    assert_eq!(fake.script.count(), 4);
}

#[tokio::test]
async fn a_service_may_bring_a_verifier_of_its_own() {
    struct Nobody;

    #[async_trait]
    impl VerifyToken for Nobody {
        async fn verify(&self, _: &str, _: &Requirement) -> Result<Identity, ValidateError> {
            Err(ValidateError::Rejected(proto::RejectionReason::Expired))
        }
    }

    let service = Service {
        verifier: Arc::new(Nobody),
    };
    let error = service.greet("token").await.unwrap_err();
    assert_eq!(error.to_string(), "rejected: the token has expired");
}

#[test]
fn times_and_codes_of_the_contract_can_be_named() {
    let claims = proto::Claims {
        expire_time: Some(Timestamp::default()),
        ..Default::default()
    };
    let lacks_times = countersign_client::Claims::try_from(claims).unwrap_err();
    assert_eq!(lacks_times.code, Code::Unavailable);
}
