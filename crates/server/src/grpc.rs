//! The services of the contract: each message is converted once, a use-case
//! does the work, and its outcome becomes the answer.

mod auth;
mod call;
mod callers;
mod check_headers;
pub(crate) mod convert;
mod factor;
mod fast_path;
mod group;
mod gzip_body;
mod open_call;
mod open_calls;
mod open_messages;
mod open_rpcs;
mod protocol;
mod reflection;
mod request_body;
mod required_authentication;
mod returning;
mod rpc;
mod rpc_runner;
mod rpc_table;
mod service_account;
mod session;
mod stranger_log;
mod unary;
mod user;
mod validate_token;
mod verification;

pub(crate) use auth::AuthGrpc;
pub(crate) use callers::{CallerAuthenticator, Unidentified};
pub(crate) use check_headers::{Bodies, CheckHeaders, HeaderCheck};
pub(crate) use factor::FactorGrpc;
pub(crate) use fast_path::{FastPath, FastServices};
pub(crate) use group::GroupGrpc;
pub(crate) use open_calls::OpenCalls;
pub(crate) use reflection::{Reflection, describe as describe_for_reflection};
pub(crate) use request_body::BodyBudget;
pub(crate) use rpc::Rpc;
pub(crate) use rpc_runner::RpcRunner;
pub(crate) use rpc_table::RpcTable;
pub(crate) use service_account::ServiceAccountGrpc;
pub(crate) use session::SessionGrpc;
pub(crate) use user::UserGrpc;
pub(crate) use validate_token::{ValidateTokenService, encode_claims};
pub(crate) use verification::VerificationGrpc;
