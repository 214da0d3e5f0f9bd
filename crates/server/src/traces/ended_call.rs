//! What a span tells of a call: nothing that a person or a service keeps secret.

use std::net::SocketAddr;
use std::time::Duration;

use tonic::Code;

use crate::grpc::Rpc;

/// A call that has ended.
#[cfg_attr(
    not(feature = "otlp"),
    expect(dead_code, reason = "only spans tell of it")
)]
pub(crate) struct EndedCall<'a> {
    pub(crate) rpc: &'static Rpc,
    pub(crate) code: Code,
    /// The caller's name, if it is known.
    pub(crate) caller: Option<&'a str>,
    /// The other end of the connection.
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) request_id: &'a str,
    pub(crate) took: Duration,
}
