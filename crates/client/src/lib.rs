//! What internal services depend on to use Countersign: ask whether an access
//! token is good, let only such requests through, and act for a person as a
//! gateway.
//!
//! # Protect a service
//!
//! Make one [`Client`] with the endpoint and the API key of your service, put a
//! [`Verifier`] over it, and a [`ProtectLayer`] in front of your routes. Name
//! your audience: tokens for other services are then rejected.
//!
#![cfg_attr(feature = "axum", doc = "```no_run")]
#![cfg_attr(not(feature = "axum"), doc = "```ignore")]
//! use axum::{Router, routing::get};
//! use countersign_client::{Client, Identity, InsufficientScope, ProtectLayer, Verifier};
//!
//! async fn cancel_order(identity: Identity) -> Result<String, InsufficientScope> {
//!     identity.require_scope("orders.write")?;
//!     Ok(format!("cancelled for {}", identity.user_id))
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder("https://countersign.internal:50051")
//!     .api_key("csk_…")
//!     .build()?;
//! let protect = ProtectLayer::new(Verifier::new(client))
//!     .audience("orders")
//!     .require_scope("orders.read");
//! let app: Router = Router::new()
//!     .route("/orders/cancel", get(cancel_order))
//!     .route_layer(protect);
//! # let _ = app;
//! # Ok(())
//! # }
//! ```
//!
//! `route_layer` protects the routes above it alone: with `layer`, a path that is
//! not there would be answered with 401 instead of 404.
//!
//! The same layer protects a tonic server (`Server::builder().layer(protect)`)
//! or one of its services (`add_service(protect.layer(OrdersServer::new(…)))`);
//! handlers then find the person with [`RequestExt::identity`], and anything
//! else built on `http` finds an [`Identity`] in the request's extensions.
//!
//! A service that runs on whatever verifies tokens, over the network or in its
//! tests, holds an `Arc<dyn VerifyToken>`; `ProtectLayer::new` takes that too.
//!
//! # A no, and no answer
//!
//! Every error says which of the two it is, because they ask for opposite
//! things. *Rejected* or *refused* is the service's answer: turn the request
//! away. *Could not tell* is no answer: let nobody in, sign nobody out, and try
//! again. The layer does so by itself, with 401 and 503, or UNAUTHENTICATED and
//! UNAVAILABLE.
//!
//! ```no_run
//! use countersign_client::{Client, Error, proto};
//!
//! # async fn refresh(client: &Client, stored: &str) -> Option<proto::Tokens> {
//! match client.refresh_tokens(stored, None).await {
//!     Ok(tokens) => Some(tokens),
//!     Err(Error::Refused(refusal)) => {
//!         println!("sign in again: {refusal}");
//!         None
//!     }
//!     Err(Error::CouldNotTell(trouble)) => {
//!         println!("keep the tokens and try later: {trouble}");
//!         None
//!     }
//! }
//! # }
//! ```
//!
//! At the start of a service, [`Client::check`] says why nobody could tell: no
//! server, another server, a wrong API key, or a role that may not validate.
//!
//! # Act as a gateway
//!
//! [`Client::auth`], [`Client::sessions`] and [`Client::verifications`] are the
//! generated stubs of the whole contract ([`proto`]) over the same connections.
//! `Error::from(status)` makes a typed error of any status they return.
//!
//! # What it does on its own
//!
//! - **Connections**: four, opened when first used, used in turn, each replaced
//!   after five minutes at the latest so that load reaches new replicas.
//! - **Deadlines**: two seconds to validate, ten for other calls; the server is
//!   told. `Request::set_timeout` sets another.
//! - **Repeating**: ValidateToken(s), ListSigningKeys, RefreshTokens,
//!   RevokeToken, GetSession, ListSessions and RevokeSession are tried up to
//!   four times while the service is UNAVAILABLE, after the pause that it asks
//!   for, within the deadline. Nothing else is ever repeated.
//! - **Remembering**: a [`Verifier`] keeps a yes for five seconds, never beyond
//!   the token's expiry; a revoked token may pass that much longer. It keeps no
//!   no.
//! - **Secrets**: neither the API key nor a token is in any `Debug` or log.
//!
//! # Test your service
//!
//! With the feature `testing`, `TestIssuer` signs real tokens
//! and verifies them, so that your tests run the same layer without a server.
//!
#![cfg_attr(feature = "testing", doc = "```")]
#![cfg_attr(not(feature = "testing"), doc = "```ignore")]
//! use countersign_client::{ProtectLayer, Requirement, TestIssuer, VerifyToken};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let issuer = TestIssuer::for_audience("orders");
//! let protect = ProtectLayer::new(issuer.verifier()).audience("orders");
//! let token = issuer.token("user-1").scope("orders.read").sign();
//! // Send it to your service behind `protect`, or ask for yourself:
//! let asked = Requirement::new().with_scope("orders.read");
//! let identity = issuer.verifier().verify(&token, &asked).await.unwrap();
//! assert_eq!(identity.user_id, "user-1");
//! # let _ = protect;
//! # }
//! ```
//!
//! # Features
//!
//! - `axum`: [`Identity`] and `Option<Identity>` as extractors, and the errors as
//!   responses.
//! - `testing`: the test issuer.
//!
//! The examples `protect_axum`, `protect_tonic` and `gateway_login` run against
//! a server on `127.0.0.1:50051`.

mod answer;
mod builder;
mod cache;
mod check;
mod claims;
mod client;
mod clock;
mod deadline;
mod error;
mod extract;
mod pool;
mod protect;
mod retry;
#[cfg(feature = "testing")]
mod testing;
mod transport;
mod verifier;
mod verify;

/// The crates whose types stand in signatures here, in the versions that do.
pub use {http, prost_types, tonic};

/// The messages and stubs of the contract.
pub use countersign_proto::v1 as proto;
pub use countersign_proto::v1::{ErrorReason, RejectionReason};
pub use tonic::async_trait;
pub use tower::Layer;

pub use crate::builder::{BuildError, ClientBuilder};
pub use crate::check::CheckError;
pub use crate::claims::{Claims, Identity, InsufficientScope};
pub use crate::client::Client;
pub use crate::clock::{Clock, SystemClock};
pub use crate::deadline::TimedBody;
pub use crate::error::{CouldNotTell, Error, Refusal, ValidateError, Violation};
#[cfg(feature = "axum")]
pub use crate::extract::IdentityRejection;
pub use crate::extract::RequestExt;
pub use crate::protect::{Protect, ProtectLayer};
#[cfg(feature = "testing")]
pub use crate::testing::{TestIssuer, TestToken, TestVerifier};
pub use crate::transport::Transport;
pub use crate::verifier::{Verifier, VerifierBuilder};
pub use crate::verify::{Requirement, VerifyToken};
