//! What floods send, byte by byte (RFC 9113, RFC 7541).

/// What a connection begins with: the preface, and SETTINGS.
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// The headers of a call of a path that there is not, and of a question about
/// health: POST, http, the path, an authority, application/grpc (RFC 7541).
const UNKNOWN: &[u8] = b"\x83\x86\x44\x02/x\x41\x01a\x5f\x10application/grpc";
const HEALTH: &[u8] =
    b"\x83\x86\x44\x1c/grpc.health.v1.Health/Check\x41\x01a\x5f\x10application/grpc";

const PRIORITY: &[u8] = b"\0\0\x05\x02\0\0\0\0\x01\0\0\0\x03\x10";

/// What a flood sends, again and again, each time for its next stream.
pub(super) type Frames = fn(stream: u32) -> Vec<u8>;

/// Names of floods, and what each sends.
pub(super) const FLOODS: [(&str, Frames); 12] = [
    ("PING", |_| b"\0\0\x08\x06\0\0\0\0\0abcdefgh".to_vec()),
    ("SETTINGS", |_| b"\0\0\0\x04\0\0\0\0\0".to_vec()),
    ("PRIORITY", |_| PRIORITY.to_vec()),
    ("WINDOW_UPDATE", |_| {
        b"\0\0\x04\x08\0\0\0\0\0\0\0\0\x01".to_vec()
    }),
    ("unknown frames", |_| b"\0\0\x04\xfe\0\0\0\0\0abcd".to_vec()),
    ("empty DATA", |_| b"\0\0\0\0\0\0\0\0\x01".to_vec()),
    ("CONTINUATION", |stream| match stream {
        1 => frame(HEADERS, 0, 1, UNKNOWN),
        _ => frame(0x9, 0, 1, b"\x00\x01a\x01b"),
    }),
    ("refused calls", |stream| {
        frame(HEADERS, END_HEADERS | END_STREAM, stream, UNKNOWN)
    }),
    ("refused calls and PRIORITY", |stream| {
        let call = frame(HEADERS, END_HEADERS | END_STREAM, stream, UNKNOWN);
        [call, PRIORITY.repeat(31)].concat()
    }),
    ("refused calls, reset", |stream| {
        let call = frame(HEADERS, END_HEADERS, stream, UNKNOWN);
        [call, frame(RST_STREAM, 0, stream, b"\0\0\0\x08")].concat()
    }),
    ("questions about health", |stream| {
        let call = frame(HEADERS, END_HEADERS, stream, HEALTH);
        [call, frame(0, END_STREAM, stream, b"\0\0\0\0\0")].concat()
    }),
    ("questions about health, reset", |stream| {
        let call = frame(HEADERS, END_HEADERS, stream, HEALTH);
        [call, frame(RST_STREAM, 0, stream, b"\0\0\0\x08")].concat()
    }),
];

const HEADERS: u8 = 0x1;
const RST_STREAM: u8 = 0x3;
const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;

/// A frame (RFC 9113, section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short payload");
    let head = [&length.to_be_bytes()[1..], &[kind, flags]].concat();
    [&head, &stream.to_be_bytes()[..], payload].concat()
}

/// What a connection begins with that lets the server send no body: the preface,
/// and SETTINGS with a window of nothing for each stream.
pub(super) const WINDOWLESS: &[u8] =
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x06\x04\0\0\0\0\0\0\x04\0\0\0\0";

/// The headers of a request to watch health.
const WATCH: &[u8] =
    b"\x83\x86\x44\x1c/grpc.health.v1.Health/Watch\x41\x01a\x5f\x10application/grpc";

/// A header `a` of 1,000 bytes, which no table remembers.
const LONG_HEADER: &[u8] = &{
    let mut header = [b'x'; 1_006];
    let mut at = 0;
    while at < 6 {
        header[at] = b"\x00\x01a\x7f\xe9\x06"[at];
        at += 1;
    }
    header
};

/// What a connection may hold for long without a key, for each of eight streams.
pub(super) const HELD: [(&str, Frames); 5] = [
    ("nothing", |_| Vec::new()),
    ("health watched", |stream| {
        let call = frame(HEADERS, END_HEADERS, stream, WATCH);
        [call, frame(0, END_STREAM, stream, b"\0\0\0\0\0")].concat()
    }),
    ("health watched, with long headers", |stream| {
        let headers = [WATCH, &LONG_HEADER.repeat(12)].concat();
        let call = frame(HEADERS, END_HEADERS, stream, &headers);
        [call, frame(0, END_STREAM, stream, b"\0\0\0\0\0")].concat()
    }),
    ("unfinished questions to reflection", |stream| {
        let call = frame(HEADERS, END_HEADERS, stream, REFLECTION);
        let begun = [&[0, 0, 0, 0x10, 0][..], &[b'a'; 4_095]].concat();
        [call, frame(0, 0, stream, &begun)].concat()
    }),
    ("refused calls, with long headers", |stream| {
        let headers = [UNKNOWN, &LONG_HEADER.repeat(12)].concat();
        frame(HEADERS, END_HEADERS, stream, &headers)
    }),
];

/// The headers of a question to reflection.
const REFLECTION: &[u8] =
    b"\x83\x86\x44\x39/grpc.reflection.v1.ServerReflection/ServerReflectionInfo\x41\x01a\x5f\x10application/grpc";

/// Calls without a key, whole ones, whose answers have a body.
pub(super) const UNREAD: [Frames; 3] = [
    |stream| {
        let call = frame(HEADERS, END_HEADERS, stream, REFLECTION);
        let question = b"\0\0\0\0\x1c\x22\x1acountersign.v1.AuthService";
        [call, frame(0, END_STREAM, stream, question)].concat()
    },
    |stream| {
        let call = frame(HEADERS, END_HEADERS, stream, HEALTH);
        [call, frame(0, END_STREAM, stream, b"\0\0\0\0\0")].concat()
    },
    |stream| {
        let call = frame(HEADERS, END_HEADERS, stream, WATCH);
        [call, frame(0, END_STREAM, stream, b"\0\0\0\0\0")].concat()
    },
];
