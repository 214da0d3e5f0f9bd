//! Calls that are begun, and how they are answered.

use std::time::Duration;

use countersign_tests::{Details, Http2, Unfinished, World};
use tonic::codegen::http::header::AUTHORIZATION;
use tonic::codegen::http::{HeaderMap, Request, StatusCode, request};
use tonic::{Code, Status};

/// How long an answer may take that needs no body.
pub(crate) const AT_ONCE: Duration = Duration::from_secs(2);

pub(crate) async fn connect(world: &World) -> Http2 {
    Http2::connect(world.replica(0).address()).await
}

pub(crate) fn parts(path: &str) -> request::Builder {
    Request::post(format!("http://localhost{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
}

pub(crate) fn call(path: &str, keys: &[&str]) -> Request<()> {
    let mut request = parts(path);
    for key in keys {
        request = request.header(AUTHORIZATION, format!("Bearer {key}"));
    }
    request.body(()).expect("a request")
}

pub(crate) async fn http_answer(begun: Unfinished) -> (StatusCode, HeaderMap) {
    let (head, _) = begun.answer(AT_ONCE).await.expect("an answer at once");
    (head.status(), head.headers().clone())
}

/// The status, which comes in the headers or in the trailers.
pub(crate) async fn status_of(begun: Unfinished) -> Status {
    let (head, trailers) = begun.answer(AT_ONCE).await.expect("an answer at once");
    let status = Status::from_header_map(head.headers());
    let status = status.or_else(|| Status::from_header_map(&trailers));
    status.expect("a status")
}

pub(crate) async fn refusal(begun: Unfinished) -> (Code, String) {
    let status = status_of(begun).await;
    let details = Details::of(&status);
    assert_eq!(details.infos, 1, "{status:?}");
    (status.code(), details.reason)
}
