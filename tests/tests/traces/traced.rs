//! Calls in the trace of their caller, and a world whose spans are collected.

use countersign_proto::v1;
use countersign_tests::{Backend, Collector, Gateway, World};
use tonic::{Request, Status};

/// A trace of a caller who keeps it.
pub(crate) const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
pub(crate) const PARENT: &str = "b7ad6b7169203331";

/// A world of one replica that exports to a collector.
pub(crate) async fn world(backend: Backend, collector: &Collector) -> World {
    World::on(backend)
        .set("traces.endpoint", collector.endpoint())
        // Every call is logged.
        .set("log.filter", "info,countersign_server=debug")
        .start()
        .await
}

/// `traceparent` of a trace that is kept.
pub(crate) fn kept() -> String {
    format!("00-{TRACE}-{PARENT}-01")
}

/// Asks about no token, with a `traceparent`.
pub(crate) async fn ask(gateway: &Gateway, traceparent: &str) -> Result<(), Status> {
    let mut request = Request::new(v1::ValidateTokenRequest {
        access_token: "garbage".into(),
        ..Default::default()
    });
    let metadata = request.metadata_mut();
    metadata.insert("traceparent", traceparent.parse().expect("ASCII"));
    gateway.auth().validate_token(request).await.map(drop)
}
