//! Health's RPC List, which its protocol has and the library for it has not yet:
//! the answer, and a service that gives it and hands on everything else.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll};

use prost::Message;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::{Request, Response, Status};
use tonic_health::pb::HealthCheckResponse;
use tonic_health::pb::health_server::HealthServer;
use tonic_prost::ProstCodec;
use tower::Service;

use crate::health_service::HealthService;

/// The health service with all its RPCs.
#[derive(Clone)]
pub(crate) struct HealthWithList {
    pub(crate) health: HealthService,
    pub(crate) rest: HealthServer<HealthService>,
}

/// `grpc.health.v1.HealthListResponse`.
#[derive(Clone, PartialEq, Message)]
struct HealthListResponse {
    /// The status of each service by its name; that of the server itself by the
    /// empty one.
    #[prost(btree_map = "string, message", tag = "1")]
    statuses: BTreeMap<String, HealthCheckResponse>,
}

struct List(HealthService);

const LIST: &str = "/grpc.health.v1.Health/List";

impl NamedService for HealthWithList {
    const NAME: &'static str = HealthServer::<HealthService>::NAME;
}

impl Service<http::Request<Body>> for HealthWithList {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<http::Request<Body>>::poll_ready(&mut self.rest, cx)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        if request.uri().path() != LIST {
            return self.rest.call(request);
        }
        let list = List(self.health.clone());
        Box::pin(async {
            let codec = ProstCodec::<HealthListResponse, ()>::default();
            Ok(Grpc::new(codec).unary(list, request).await)
        })
    }
}

impl UnaryService<()> for List {
    type Response = HealthListResponse;
    type Future = Ready<Result<Response<HealthListResponse>, Status>>;

    fn call(&mut self, _: Request<()>) -> Self::Future {
        let statuses = self.0.statuses();
        ready(Ok(Response::new(HealthListResponse { statuses })))
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use tonic_health::pb::health_check_response::ServingStatus;

    use super::*;

    #[tokio::test]
    async fn all_services_are_listed_with_their_statuses() {
        let health = HealthService::default();
        health.set("", true);
        health.set("a", false);
        let mut service = HealthWithList {
            health: health.clone(),
            rest: HealthServer::new(health),
        };
        let mut list = async || {
            let empty = http_body_util::Full::from(&b"\0\0\0\0\0"[..]);
            let request = http::Request::post(LIST).body(Body::new(empty));
            let answer = service.call(request.expect("a request")).await;
            let body = answer.expect("an answer").into_body().collect().await;
            let message = body.expect("a message").to_bytes().split_off(5);
            HealthListResponse::decode(message).expect("statuses")
        };
        let statuses = list().await.statuses;
        let told = |service: &str| statuses[service].status();
        assert_eq!(statuses.len(), 2);
        assert_eq!(told(""), ServingStatus::Serving);
        assert_eq!(told("a"), ServingStatus::NotServing);
    }
}
