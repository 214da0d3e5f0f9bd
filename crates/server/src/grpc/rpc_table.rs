//! The RPCs by their paths, those of the contract with their policies in the
//! domain's words.

use std::collections::HashMap;
use std::time::Duration;

use countersign_domain::model::Role;
use countersign_proto::RPCS;
use countersign_proto::v1::CallerRole;

use crate::grpc::open_rpcs::{OpenRpc, open_rpcs};
use crate::grpc::rpc::{Rpc, UNARY};
use crate::metrics::{self, CallCounts, Called};

/// Of most messages: a few fields, none of them long.
const MAX_MESSAGE: usize = 64 * 1024;

/// Of a question about a token: far more than one has, as a token that is too
/// long has an answer, too.
const MAX_QUESTION: usize = 1024 * 1024;

/// Of a question about a request: the same, and all of its headers.
const MAX_CHECK: usize = MAX_QUESTION + 64 * 1024;

/// Of 256 questions about the longest tokens, each with an audience and scopes.
const MAX_QUESTIONS: usize = 256 * 10 * 1024;

/// Of 500 users, most of whom have few attributes.
const MAX_IMPORT: usize = 4 * 1024 * 1024;

/// Of what nobody knows.
const MAX_UNKNOWN: usize = 512;

/// All RPCs.
#[derive(Debug)]
pub(crate) struct RpcTable {
    /// Those of the contract.
    known: HashMap<&'static str, &'static Rpc>,
    /// Those of health and reflection.
    open: &'static [OpenRpc],
    /// What is called where there is none.
    pub(crate) unknown: &'static Rpc,
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
                kind: UNARY,
                roles: described.roles.iter().filter_map(role).collect(),
                timeout: described.timeout.min(longest),
                max_message: match described.name {
                    "ValidateToken" => MAX_QUESTION,
                    "Check" => MAX_CHECK,
                    "ValidateTokens" => MAX_QUESTIONS,
                    "ImportUsers" => MAX_IMPORT,
                    _ => MAX_MESSAGE,
                },
                is_long: described.name == "ImportUsers",
                calls: CallCounts::default(),
            };
            (described.path, kept(rpc))
        });
        let unknown = Rpc::of_others("unknown", "unknown", "unknown", UNARY, MAX_UNKNOWN);
        Self {
            known: rpcs.collect(),
            open: Vec::leak(open_rpcs()),
            unknown: kept(unknown),
        }
    }

    /// The RPC that is called at a path; one that is [unknown](Self::knows) if
    /// the contract has none there.
    pub(crate) fn get(&self, path: &str) -> &'static Rpc {
        self.known.get(path).copied().unwrap_or(self.unknown)
    }

    /// The RPC of health or reflection that is called at a path.
    pub(crate) fn get_open(&self, path: &str) -> Option<&'static OpenRpc> {
        let path = path.strip_prefix('/')?;
        self.open.iter().find(|open| open.rpc.path == path)
    }

    /// Whether an RPC is one of the contract.
    pub(crate) fn knows(&self, rpc: &'static Rpc) -> bool {
        !std::ptr::eq(rpc, self.unknown)
    }

    /// The calls of each RPC until now, as Prometheus reads them.
    pub(crate) fn render_calls(&self) -> String {
        let mut rpcs: Vec<_> = self.known.values().copied().collect();
        rpcs.extend(self.open.iter().map(|open| &open.rpc));
        rpcs.push(self.unknown);
        rpcs.sort_unstable_by_key(|rpc| rpc.path);
        let called = rpcs.iter().map(|rpc| Called {
            kind: rpc.kind,
            service: rpc.service,
            method: rpc.name,
            counts: &rpc.calls,
        });
        metrics::render_calls(called)
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

    #[test]
    fn those_of_health_and_reflection_are_found_by_their_paths() {
        let table = RpcTable::new(Duration::from_secs(20));
        for open in open_rpcs() {
            let Rpc {
                service,
                name,
                path,
                kind,
                ..
            } = open.rpc;
            assert_eq!(path, format!("{service}/{name}"));
            let found = table.get_open(&format!("/{path}"));
            let found = found.map(|open| (open.rpc.path, open.rpc.kind));
            assert_eq!(found, Some((path, kind)));
        }
        for unknown in [
            "/grpc.health.v1.Health/Stop",
            "/grpc.x",
            "grpc.health.v1.Health/Check",
        ] {
            assert!(table.get_open(unknown).is_none(), "{unknown}");
        }
    }
}
