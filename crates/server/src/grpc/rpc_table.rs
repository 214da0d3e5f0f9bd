//! The RPCs of the contract by their paths, with their policies in the domain's
//! words.

use std::collections::HashMap;
use std::time::Duration;

use countersign_domain::model::Role;
use countersign_proto::RPCS;
use countersign_proto::v1::CallerRole;

/// An RPC: its names in logs and metrics, who may call it, and how long it may
/// take.
#[derive(Debug)]
pub(crate) struct Rpc {
    pub(crate) service: &'static str,
    pub(crate) name: &'static str,
    /// Its name in traces: `countersign.v1.AuthService/IssueTokens`.
    #[cfg_attr(
        not(feature = "otlp"),
        expect(dead_code, reason = "only spans tell of it")
    )]
    pub(crate) path: &'static str,
    /// One of them is enough.
    pub(crate) roles: Vec<Role>,
    pub(crate) timeout: Duration,
    /// The most bytes of its message.
    pub(crate) max_message: usize,
}

/// Of most messages: a few fields, none of them long.
const MAX_MESSAGE: usize = 64 * 1024;

/// Of a question about a token: far more than one has, as a token that is too
/// long has an answer, too.
const MAX_QUESTION: usize = 1024 * 1024;

/// Of 256 questions about the longest tokens, each with an audience and scopes.
const MAX_QUESTIONS: usize = 256 * 10 * 1024;

/// What is called at a path that the contract has not.
pub(crate) static UNKNOWN: Rpc = Rpc {
    service: "unknown",
    name: "unknown",
    path: "unknown",
    roles: Vec::new(),
    timeout: Duration::ZERO,
    max_message: 0,
};

/// All RPCs of the contract.
#[derive(Debug)]
pub(crate) struct RpcTable(HashMap<&'static str, &'static Rpc>);

impl RpcTable {
    /// The contract's policies. No RPC takes longer than `longest`. To be made
    /// once: it is kept for as long as the program runs.
    pub(crate) fn new(longest: Duration) -> Self {
        let rpcs = RPCS.iter().map(|described| {
            let rpc = Rpc {
                service: described.service,
                name: described.name,
                path: described.path.trim_start_matches('/'),
                roles: described.roles.iter().filter_map(role).collect(),
                timeout: described.timeout.min(longest),
                max_message: match described.name {
                    "ValidateToken" => MAX_QUESTION,
                    "ValidateTokens" => MAX_QUESTIONS,
                    _ => MAX_MESSAGE,
                },
            };
            (described.path, &*Box::leak(Box::new(rpc)))
        });
        Self(rpcs.collect())
    }

    /// The RPC that is called at a path.
    pub(crate) fn get(&self, path: &str) -> Option<&'static Rpc> {
        self.0.get(path).copied()
    }
}

fn role(role: &CallerRole) -> Option<Role> {
    match role {
        CallerRole::Service => Some(Role::Service),
        CallerRole::Gateway => Some(Role::Gateway),
        CallerRole::Operator => Some(Role::Operator),
        CallerRole::Unspecified => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rpc_has_roles_and_no_more_time_than_the_server_gives() {
        let table = RpcTable::new(Duration::from_secs(20));
        for described in RPCS {
            let rpc = table.get(described.path).expect("it is in the contract");
            assert!(!rpc.roles.is_empty(), "{}", rpc.name);
            assert!(rpc.timeout <= Duration::from_secs(20), "{}", rpc.name);
        }
        let validate = table.get("/countersign.v1.AuthService/ValidateToken");
        let validate = validate.expect("it is in the contract");
        assert_eq!(validate.roles, [Role::Service, Role::Gateway]);
        assert_eq!(validate.timeout, Duration::from_secs(10));
        assert!(table.get("/countersign.v1.AuthService/SignOut").is_none());
    }
}
