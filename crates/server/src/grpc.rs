//! The services of the contract: each message is converted once, a use-case
//! does the work, and its outcome becomes the answer.

mod auth;
mod caller_authenticator;
pub(crate) mod convert;
mod fast_path;
mod rpc_runner;
mod session;
mod validate_token;
mod verification;

pub(crate) use auth::AuthGrpc;
pub(crate) use caller_authenticator::CallerAuthenticator;
pub(crate) use fast_path::FastPath;
pub(crate) use rpc_runner::RpcRunner;
pub(crate) use session::SessionGrpc;
pub(crate) use validate_token::{ValidateTokenService, Validator, encode_claims};
pub(crate) use verification::VerificationGrpc;
