//! How messages become bytes: with buffers of the size that they have.

use std::marker::PhantomData;

use prost::Message;
use tonic::codec::{BufferSettings, Codec};
use tonic_prost::{ProstCodec, ProstDecoder, ProstEncoder};

/// What a buffer holds at first, in bytes: a usual message. tonic's own 8 KiB
/// are twice a call allocated and touched anew, and two tokens need 1 KiB.
const CAPACITY: usize = 1024;
const YIELD_THRESHOLD: usize = 32 * 1024;

/// How the buffers of a message begin, and when a stream of messages is handed
/// on.
#[must_use]
pub fn buffer_settings() -> BufferSettings {
    BufferSettings::new(CAPACITY, YIELD_THRESHOLD)
}

/// The codec of the generated stubs: protobuf, in small buffers.
#[derive(Debug, Clone)]
pub struct SmallBuffers<E, D>(PhantomData<(E, D)>);

impl<E, D> Default for SmallBuffers<E, D> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<E, D> Codec for SmallBuffers<E, D>
where
    E: Message + Send + 'static,
    D: Message + Default + Send + 'static,
{
    type Encode = E;
    type Decode = D;
    type Encoder = ProstEncoder<E>;
    type Decoder = ProstDecoder<D>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<E, D>::raw_encoder(buffer_settings())
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstCodec::<E, D>::raw_decoder(buffer_settings())
    }
}
