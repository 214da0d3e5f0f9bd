//! Searching for what must not be found, in every spelling that hides it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// A text as it is, in hex, and in base64 wherever it begins in what was encoded.
#[must_use]
pub fn canary_spellings(text: &str) -> Vec<Vec<u8>> {
    let bytes = text.as_bytes();
    let lower: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut spellings = vec![
        bytes.to_vec(),
        lower.to_uppercase().into_bytes(),
        lower.into_bytes(),
    ];
    for before in 0..3 {
        let padded = [&vec![b' '; before], bytes].concat();
        // Without what depends on the neighbours.
        let (start, end) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
        for engine in [&STANDARD, &URL_SAFE] {
            spellings.push(engine.encode(&padded).as_bytes()[start..end].to_vec());
        }
    }
    spellings
}

/// Whether one of the spellings stands in the bytes.
#[must_use]
pub fn contains_any(bytes: &[u8], spellings: &[Vec<u8>]) -> bool {
    spellings.iter().any(|spelling| {
        let mut windows = bytes.windows(spelling.len());
        windows.any(|window| window == spelling)
    })
}
