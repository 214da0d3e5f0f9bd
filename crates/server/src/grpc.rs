//! The services of the contract: each message is converted once, a use-case
//! does the work, and its outcome becomes the answer.

mod auth;
mod call;
pub(crate) mod convert;
mod front;
mod gate;
mod judge;
mod session;
mod verification;

pub(crate) use auth::AuthGrpc;
pub(crate) use call::Desk;
pub(crate) use front::Front;
pub(crate) use gate::Gate;
pub(crate) use judge::{Judge, Validator, encode_claims};
pub(crate) use session::SessionGrpc;
pub(crate) use verification::VerificationGrpc;
