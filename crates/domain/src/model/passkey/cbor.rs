//! Maps of CBOR as CTAP2 writes them: of a known length, each key once.

use minicbor::data::Type;
use minicbor::{Decode, Decoder};

/// It is no such map.
pub(super) struct Malformed;

impl From<minicbor::decode::Error> for Malformed {
    fn from(_: minicbor::decode::Error) -> Self {
        Self
    }
}

/// Reads a map; `read` takes the value of each key from the decoder.
pub(super) fn map<'b, K: Decode<'b, ()> + PartialEq>(
    decoder: &mut Decoder<'b>,
    mut read: impl FnMut(&K, &mut Decoder<'b>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let length = decoder.map()?.ok_or(Malformed)?;
    let mut known: Vec<K> = Vec::new();
    for _ in 0..length {
        let key = decoder.decode()?;
        if known.contains(&key) {
            return Err(Malformed);
        }
        read(&key, decoder)?;
        known.push(key);
    }
    Ok(())
}

/// Passes over one value, which is a map.
pub(super) fn skip_map(decoder: &mut Decoder<'_>) -> Result<(), Malformed> {
    match decoder.datatype()? {
        Type::Map => Ok(decoder.skip()?),
        _ => Err(Malformed),
    }
}

/// Nothing must be left.
pub(super) fn end(decoder: &Decoder<'_>) -> Result<(), Malformed> {
    match decoder.position() == decoder.input().len() {
        true => Ok(()),
        false => Err(Malformed),
    }
}
