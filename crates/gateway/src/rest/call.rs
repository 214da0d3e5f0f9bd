//! Calling an RPC with a message that is known by its descriptor alone.

use bytes::{Buf as _, BufMut as _};
use countersign_client::Client;
use http::uri::PathAndQuery;
use prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor};
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Request, Status};

use super::table::{Auth, Endpoint};
use crate::problem::Problem;

/// Calls the endpoint's RPC.
///
/// # Errors
/// What the service says, or that it says nothing.
pub(super) async fn call(
    client: &Client,
    endpoint: &Endpoint,
    request: Request<DynamicMessage>,
) -> Result<DynamicMessage, Problem> {
    let rpc = &endpoint.rpc;
    let path = format!("/{}/{}", rpc.parent_service().full_name(), rpc.name());
    let path = PathAndQuery::try_from(path).expect("names of the contract are a path");
    let mut grpc = Grpc::new(client.transport());
    grpc.ready().await.map_err(Problem::from)?;
    let codec = Dynamic(rpc.output());
    let answer = grpc.unary(request, path, codec).await;
    let answer = answer.map_err(|status| match endpoint.auth {
        Auth::Caller => Problem::of_caller(status),
        Auth::Nobody | Auth::Person => status.into(),
    });
    Ok(answer?.into_inner())
}

/// Writes any message, and reads those of one kind.
#[derive(Debug, Clone)]
struct Dynamic(MessageDescriptor);

impl Codec for Dynamic {
    type Encode = DynamicMessage;
    type Decode = DynamicMessage;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        self.clone()
    }

    fn decoder(&mut self) -> Self {
        self.clone()
    }
}

impl Encoder for Dynamic {
    type Item = DynamicMessage;
    type Error = Status;

    fn encode(&mut self, message: DynamicMessage, buf: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buf.put_slice(&message.encode_to_vec());
        Ok(())
    }
}

impl Decoder for Dynamic {
    type Item = DynamicMessage;
    type Error = Status;

    fn decode(&mut self, buf: &mut DecodeBuf<'_>) -> Result<Option<DynamicMessage>, Status> {
        let bytes = buf.copy_to_bytes(buf.remaining());
        let message = DynamicMessage::decode(self.0.clone(), bytes);
        message
            .map(Some)
            .map_err(|error| Status::internal(error.to_string()))
    }
}
