//! The RPCs that need no key, health and reflection, which have contracts of
//! their own.

use prost::Message;
use prost::bytes::Bytes;
use tonic_health::pb::HealthCheckRequest;
use tonic_reflection::pb::v1::ServerReflectionRequest;

use crate::grpc::rpc::{Rpc, UNARY};

/// An RPC that needs no key.
#[derive(Debug)]
pub(crate) struct OpenRpc {
    pub(crate) rpc: Rpc,
    /// Whether this is a message of it.
    pub(crate) is_message: fn(Bytes) -> bool,
}

/// The largest message of reflection, in bytes.
const MAX_MESSAGE: usize = 4 * 1024;

/// Of health: the name of a service.
const MAX_HEALTH_MESSAGE: usize = 512;

const HEALTH: &str = "grpc.health.v1.Health";
const REFLECTION: &str = "ServerReflectionInfo";

/// All that there are. Those of reflection have the same messages.
pub(crate) fn open_rpcs() -> Vec<OpenRpc> {
    let open = |service, name, path, kind, is_message| {
        let most = if service == HEALTH {
            MAX_HEALTH_MESSAGE
        } else {
            MAX_MESSAGE
        };
        let rpc = Rpc::of_others(service, name, path, kind, most);
        OpenRpc { rpc, is_message }
    };
    vec![
        open(
            HEALTH,
            "Check",
            "grpc.health.v1.Health/Check",
            UNARY,
            is::<HealthCheckRequest>,
        ),
        open(
            HEALTH,
            "List",
            "grpc.health.v1.Health/List",
            UNARY,
            is::<()>,
        ),
        open(
            HEALTH,
            "Watch",
            "grpc.health.v1.Health/Watch",
            "server_stream",
            is::<HealthCheckRequest>,
        ),
        open(
            "grpc.reflection.v1.ServerReflection",
            REFLECTION,
            "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
            "bidi_stream",
            is::<ServerReflectionRequest>,
        ),
        open(
            "grpc.reflection.v1alpha.ServerReflection",
            REFLECTION,
            "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
            "bidi_stream",
            is::<ServerReflectionRequest>,
        ),
    ]
}

fn is<M: Message + Default>(message: Bytes) -> bool {
    M::decode(message).is_ok()
}
