//! The RPCs of the contract and their policies, read from its descriptor when
//! the code is generated.

use std::time::Duration;

use crate::v1::CallerRole;

/// An RPC and what holds before its message is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rpc {
    /// The full name of its service: `countersign.v1.AuthService`.
    pub service: &'static str,
    /// Its name: `IssueTokens`.
    pub name: &'static str,
    /// Where it is called: `/countersign.v1.AuthService/IssueTokens`.
    pub path: &'static str,
    /// The roles that may call it. One of them is enough.
    pub roles: &'static [CallerRole],
    /// How long it may take, from its headers to its answer.
    pub timeout: Duration,
    /// Whether it may be repeated.
    pub idempotency: Idempotency,
}

/// Whether an RPC may be repeated, as `google.protobuf.MethodOptions` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idempotency {
    /// It may do more when it is repeated.
    Unknown,
    /// It changes nothing.
    NoSideEffects,
    /// Repeating it changes nothing more.
    Idempotent,
}

/// All RPCs, in the order of the contract.
pub const RPCS: &[Rpc] = include!("gen/rpcs.rs");
