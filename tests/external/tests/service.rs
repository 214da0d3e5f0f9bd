//! The service with the test issuer in place of Countersign.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use countersign_client::{TestIssuer, tonic};
use orders::grpc::v1;
use tokio::net::TcpListener;
use tonic::Code;
use tonic::transport::Endpoint;
use tonic::transport::server::TcpIncoming;
use tower::ServiceExt as _;
use v1::catalogue_service_client::CatalogueServiceClient;
use v1::orders_service_client::OrdersServiceClient;

/// The status and the body of the answer to a request with this token.
async fn call(
    issuer: &TestIssuer,
    method: &str,
    path: &str,
    token: Option<&str>,
) -> (StatusCode, String) {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let app = orders::http::app(Arc::new(issuer.verifier()));
    let request = request.body(Body::empty()).unwrap();
    let response = app.oneshot(request).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), 64 * 1024).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn orders_are_cancelled_for_who_may_write_them() {
    let issuer = TestIssuer::for_audience("orders");
    let cancel = async |token: Option<&str>| call(&issuer, "POST", "/orders/cancel", token).await;
    let writer = issuer.token("mina").scope("orders.write").sign();
    let (status, body) = cancel(Some(&writer)).await;
    assert_eq!((status, &*body), (StatusCode::OK, "cancelled for mina"));
    let reader = issuer.token("mina").scope("orders.read").sign();
    assert_eq!(cancel(Some(&reader)).await.0, StatusCode::FORBIDDEN);
    assert_eq!(cancel(None).await.0, StatusCode::UNAUTHORIZED);
    issuer.set_unavailable(true);
    let (status, _) = cancel(Some(&writer)).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn the_front_page_is_for_everybody_with_no_bad_token() {
    let issuer = TestIssuer::for_audience("orders");
    let (_, body) = call(&issuer, "GET", "/", None).await;
    assert_eq!(body, "Welcome!");
    let token = issuer.token("mina").sign();
    let (_, body) = call(&issuer, "GET", "/", Some(&token)).await;
    assert_eq!(body, "Welcome back, mina!");
    let expired = issuer.token("mina").expired().sign();
    let (status, _) = call(&issuer, "GET", "/", Some(&expired)).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let issuer = TestIssuer::for_audience("orders");
    let (status, _) = call(&issuer, "GET", "/nowhere", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_services_know_who_calls() {
    let issuer = TestIssuer::for_audience("orders");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = orders::grpc::server(Arc::new(issuer.verifier()));
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    let channel = Endpoint::from_shared(endpoint).unwrap();
    let channel = channel.connect().await.unwrap();
    let mut orders = OrdersServiceClient::new(channel.clone());
    let mut catalogue = CatalogueServiceClient::new(channel);

    let token = issuer.token("mina").scope("orders.write").sign();
    let answer = orders
        .cancel_order(with(&token, v1::CancelOrderRequest {}))
        .await;
    assert_eq!(answer.unwrap().into_inner().cancelled_for, "mina");
    let status = orders.cancel_order(v1::CancelOrderRequest {}).await;
    assert_eq!(status.unwrap_err().code(), Code::Unauthenticated);

    let answer = catalogue.greet(v1::GreetRequest {}).await.unwrap();
    assert_eq!(answer.into_inner().greeting, "hello, stranger");
    let answer = catalogue.greet(with(&token, v1::GreetRequest {})).await;
    assert_eq!(answer.unwrap().into_inner().greeting, "hello, mina");
    let bad = catalogue.greet(with("nonsense", v1::GreetRequest {})).await;
    assert_eq!(bad.unwrap_err().code(), Code::Unauthenticated);
}

/// A request with this token.
fn with<T>(token: &str, message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    let value = format!("Bearer {token}").parse().unwrap();
    request.metadata_mut().insert("authorization", value);
    request
}
