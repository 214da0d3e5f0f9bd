//! Calls that no stub would make: any path, any bytes.

use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Request, Status};

use crate::gateway::Gateway;

impl Gateway {
    /// Calls an RPC by its path, `/package.Service/Rpc`, with these bytes for a
    /// message, and returns the bytes of the answer.
    ///
    /// # Errors
    /// The server's.
    ///
    /// # Panics
    /// If the path is none.
    pub async fn call(&self, path: &str, message: Vec<u8>) -> Result<Vec<u8>, Status> {
        let path = PathAndQuery::try_from(path).expect("a path");
        let mut client = tonic::client::Grpc::new(self.line());
        let ready = client.ready().await;
        ready.map_err(|error| Status::unavailable(error.to_string()))?;
        let answer = client.unary(Request::new(message), path, Bytes).await?;
        Ok(answer.into_inner())
    }
}

/// Messages as they are on the wire.
struct Bytes;

impl Codec for Bytes {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        use prost::bytes::BufMut as _;
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        use prost::bytes::Buf as _;
        let mut item = vec![0; buffer.remaining()];
        buffer.copy_to_slice(&mut item);
        Ok(Some(item))
    }
}
