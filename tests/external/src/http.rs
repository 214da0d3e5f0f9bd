//! The routes: one for people with a scope, one for everybody.

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use countersign_client::{Identity, InsufficientScope, ProtectLayer, VerifyToken};

async fn cancel_order(identity: Identity) -> Result<String, InsufficientScope> {
    identity.require_scope("orders.write")?;
    Ok(format!("cancelled for {}", identity.user_id))
}

async fn front_page(identity: Option<Identity>) -> String {
    match identity {
        Some(identity) => format!("Welcome back, {}!", identity.user_id),
        None => "Welcome!".to_owned(),
    }
}

/// The whole service, on whatever verifies tokens.
pub fn app(verifier: Arc<dyn VerifyToken>) -> Router {
    let protect = ProtectLayer::new(verifier).audience("orders");
    let people = Router::new()
        .route("/orders/cancel", post(cancel_order))
        .route_layer(protect.clone());
    let everybody = Router::new()
        .route("/", get(front_page))
        .route_layer(protect.allow_anonymous());
    people
        .merge(everybody)
        .route("/healthz", get(|| async { "ok" }))
}
