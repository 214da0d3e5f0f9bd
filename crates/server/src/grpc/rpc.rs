//! An RPC, as calls of it are permitted, bounded, named and counted.

use std::time::Duration;

use countersign_domain::model::Role;

use crate::metrics::CallCounts;

/// An RPC: its names in logs and metrics, who may call it, and how long it may
/// take.
#[derive(Debug)]
pub(crate) struct Rpc {
    pub(crate) service: &'static str,
    pub(crate) name: &'static str,
    /// Its name in traces, which no other has:
    /// `countersign.v1.AuthService/IssueTokens`.
    pub(crate) path: &'static str,
    /// Whether it streams, as go-grpc-prometheus says it.
    pub(crate) kind: &'static str,
    /// One of them is enough.
    pub(crate) roles: Vec<Role>,
    pub(crate) timeout: Duration,
    /// The most bytes of its message.
    pub(crate) max_message: usize,
    /// Whether its messages are so long that they are not read on the thread of the
    /// connection, on which short calls wait.
    pub(crate) is_long: bool,
    /// Its calls until now.
    pub(crate) calls: CallCounts,
}

/// The kind of an RPC that has one message and one answer.
pub(crate) const UNARY: &str = "unary";

impl Rpc {
    /// An RPC that the contract does not have: nothing is permitted by it.
    pub(crate) fn of_others(
        service: &'static str,
        name: &'static str,
        path: &'static str,
        kind: &'static str,
        max_message: usize,
    ) -> Self {
        Self {
            service,
            name,
            path,
            kind,
            roles: Vec::new(),
            timeout: Duration::ZERO,
            max_message,
            is_long: false,
            calls: CallCounts::default(),
        }
    }
}
