//! The RPCs of the contract by their paths, with their policies in the domain's
//! words.

use std::collections::HashMap;
use std::time::Duration;

use countersign_domain::model::Role;
use countersign_proto::RPCS;
use countersign_proto::v1::CallerRole;

use crate::metrics::{self, CallCounts};

/// An RPC: its names in logs and metrics, who may call it, and how long it may
/// take.
#[derive(Debug)]
pub(crate) struct Rpc {
    pub(crate) service: &'static str,
    pub(crate) name: &'static str,
    /// Its name in traces: `countersign.v1.AuthService/IssueTokens`.
    pub(crate) path: &'static str,
    /// One of them is enough.
    pub(crate) roles: Vec<Role>,
    pub(crate) timeout: Duration,
    /// The most bytes of its message.
    pub(crate) max_message: usize,
    /// Its calls until now.
    pub(crate) calls: CallCounts,
}

/// Of most messages: a few fields, none of them long.
const MAX_MESSAGE: usize = 64 * 1024;

/// Of a question about a token: far more than one has, as a token that is too
/// long has an answer, too.
const MAX_QUESTION: usize = 1024 * 1024;

/// Of 256 questions about the longest tokens, each with an audience and scopes.
const MAX_QUESTIONS: usize = 256 * 10 * 1024;

/// All RPCs of the contract.
#[derive(Debug)]
pub(crate) struct RpcTable {
    known: HashMap<&'static str, &'static Rpc>,
    unknown: &'static Rpc,
}

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
                calls: CallCounts::default(),
            };
            (described.path, kept(rpc))
        });
        let unknown = Rpc {
            service: "unknown",
            name: "unknown",
            path: "unknown",
            roles: Vec::new(),
            timeout: Duration::ZERO,
            max_message: 0,
            calls: CallCounts::default(),
        };
        Self {
            known: rpcs.collect(),
            unknown: kept(unknown),
        }
    }

    /// The RPC that is called at a path; one that is [unknown](Self::knows) if
    /// the contract has none there.
    pub(crate) fn get(&self, path: &str) -> &'static Rpc {
        self.known.get(path).copied().unwrap_or(self.unknown)
    }

    /// Whether an RPC is one of the contract.
    pub(crate) fn knows(&self, rpc: &'static Rpc) -> bool {
        !std::ptr::eq(rpc, self.unknown)
    }

    /// The calls of each RPC until now, as Prometheus reads them.
    pub(crate) fn render_calls(&self) -> String {
        let mut rpcs: Vec<_> = self.known.values().copied().collect();
        rpcs.push(self.unknown);
        rpcs.sort_unstable_by_key(|rpc| rpc.path);
        let rpcs = rpcs.iter().map(|rpc| (rpc.service, rpc.name, &rpc.calls));
        metrics::render_calls(rpcs)
    }
}

fn kept(rpc: Rpc) -> &'static Rpc {
    Box::leak(Box::new(rpc))
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
            let rpc = table.get(described.path);
            assert!(table.knows(rpc), "{}", described.path);
            assert!(!rpc.roles.is_empty(), "{}", rpc.name);
            assert!(rpc.timeout <= Duration::from_secs(20), "{}", rpc.name);
        }
        let validate = table.get("/countersign.v1.AuthService/ValidateToken");
        assert_eq!(validate.roles, [Role::Service, Role::Gateway]);
        assert_eq!(validate.timeout, Duration::from_secs(10));
        let unknown = table.get("/countersign.v1.AuthService/SignOut");
        assert!(!table.knows(unknown));
    }
}
