//! So much of HTTP/2 (RFC 9113, section 4.1) as it takes to know where a frame
//! begins, and whether it belongs to the answer of a call.

/// One frame, its header included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: Kind,
    pub(crate) bytes: Vec<u8>,
}

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Part of the body of an answer.
    Data,
    /// The headers or trailers of an answer.
    Headers,
    /// Anything else.
    Other,
}

/// Cuts a stream of bytes into frames.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    pending: Vec<u8>,
}

const HEADER_BYTES: usize = 9;

impl Frames {
    /// Takes what was read.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
    }

    /// The next whole frame.
    pub(crate) fn next(&mut self) -> Option<Frame> {
        let [high, middle, low, kind, ..] = *self.pending.first_chunk::<HEADER_BYTES>()?;
        let length = HEADER_BYTES + u32::from_be_bytes([0, high, middle, low]) as usize;
        if self.pending.len() < length {
            return None;
        }
        let bytes = self.pending.drain(..length).collect();
        let kind = match kind {
            0x0 => Kind::Data,
            0x1 => Kind::Headers,
            _ => Kind::Other,
        };
        Some(Frame { kind, bytes })
    }
}

impl Frame {
    /// Whether nothing of its stream comes after it (headers and data only).
    pub(crate) fn ends_stream(&self) -> bool {
        self.bytes[4] & 0x1 != 0
    }

    /// The payload of an unpadded frame.
    pub(crate) fn payload(&self) -> &[u8] {
        &self.bytes[HEADER_BYTES..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_found_wherever_the_reads_cut_them() {
        let settings = [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100];
        let data = [0, 0, 2, 0, 1, 0, 0, 0, 1, 7, 8];
        let stream = [&settings[..], &data[..]].concat();
        let mut frames = Frames::default();
        let mut found = Vec::new();
        for byte in &stream {
            frames.push(&[*byte]);
            found.extend(frames.next());
        }
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].kind, found[1].kind), (Kind::Other, Kind::Data));
        assert_eq!(found[1].payload(), [7, 8]);
    }
}
