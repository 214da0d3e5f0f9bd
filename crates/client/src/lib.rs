//! The client of Countersign for internal services and gateways.
//!
#![doc = include_str!("../README.md")]

mod acr;
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
/// The descriptors of the contract, and the domain of its errors.
pub use countersign_proto::{ERROR_DOMAIN, FILE_DESCRIPTOR_SET};
pub use tonic::async_trait;
pub use tower::Layer;

pub use crate::acr::{Acr, InsufficientAuthentication};
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
