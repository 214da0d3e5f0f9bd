//! The services: one for people with a scope, one for everybody.

use std::sync::Arc;

use countersign_client::{Layer as _, ProtectLayer, RequestExt as _, VerifyToken};
use tonic::transport::server::{Router, Server};
use tonic::{Request, Response, Status};

/// The messages and stubs of `orders.proto`.
pub mod v1 {
    tonic::include_proto!("orders.v1");
}

use v1::catalogue_service_server::{CatalogueService, CatalogueServiceServer};
use v1::orders_service_server::{OrdersService, OrdersServiceServer};

struct Orders;

struct Catalogue;

#[tonic::async_trait]
impl OrdersService for Orders {
    async fn cancel_order(
        &self,
        request: Request<v1::CancelOrderRequest>,
    ) -> Result<Response<v1::CancelOrderResponse>, Status> {
        let identity = request.identity()?;
        identity.require_scope("orders.write")?;
        Ok(Response::new(v1::CancelOrderResponse {
            cancelled_for: identity.user_id.clone(),
        }))
    }
}

#[tonic::async_trait]
impl CatalogueService for Catalogue {
    async fn greet(
        &self,
        request: Request<v1::GreetRequest>,
    ) -> Result<Response<v1::GreetResponse>, Status> {
        let name = request
            .optional_identity()?
            .map_or("stranger", |identity| &identity.user_id);
        Ok(Response::new(v1::GreetResponse {
            greeting: format!("hello, {name}"),
        }))
    }
}

/// The whole server, on whatever verifies tokens.
pub fn server(verifier: Arc<dyn VerifyToken>) -> Router {
    let protect = ProtectLayer::new(verifier).audience("orders");
    let orders = protect.layer(OrdersServiceServer::new(Orders));
    let everybody = protect.allow_anonymous();
    let catalogue = everybody.layer(CatalogueServiceServer::new(Catalogue));
    Server::builder().add_service(orders).add_service(catalogue)
}
