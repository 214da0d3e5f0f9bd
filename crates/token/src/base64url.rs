//! Base64url without padding (RFC 7515 section 2), in its one canonical spelling.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Encodes without padding.
pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes; `None` for padding, foreign characters, an impossible length or
/// unused bits that are not zero.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_spelling_is_read() {
        assert_eq!(decode("-_8"), Some(vec![0xfb, 0xff]));
        assert_eq!(encode([0xfb, 0xff]), "-_8");
        for text in ["-_9", "-_8=", "+/8", "-_8\n", " -_8", "-", "-_8-_", "한글"] {
            assert_eq!(decode(text), None, "{text:?}");
        }
    }
}
