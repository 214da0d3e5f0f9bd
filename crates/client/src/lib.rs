//! lib
mod answer;
mod builder;
mod cache;
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

pub use countersign_proto::v1 as proto;
pub use countersign_proto::v1::{ErrorReason, RejectionReason};

pub use crate::builder::{BuildError, ClientBuilder};
pub use crate::claims::{Claims, Identity, InsufficientScope};
pub use crate::client::Client;
pub use crate::clock::{Clock, SystemClock};
pub use crate::deadline::TimedBody;
pub use crate::error::{CouldNotTell, Error, Refusal, ValidateError, Violation};
#[cfg(feature = "axum")]
pub use crate::extract::NotProtected;
pub use crate::extract::RequestExt;
pub use crate::protect::{Protect, ProtectLayer};
#[cfg(feature = "testing")]
pub use crate::testing::{TestIssuer, TestToken, TestVerifier};
pub use crate::transport::Transport;
pub use crate::verifier::{Verifier, VerifierBuilder};
pub use crate::verify::{Requirement, VerifyToken};
