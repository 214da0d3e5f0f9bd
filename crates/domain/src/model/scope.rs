//! A scope of an access token.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A scope token of RFC 6749, section 3.3: 1 to 128 printable ASCII characters
/// other than space, `"` and `\`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scope(String);

impl Scope {
    /// Reads a scope.
    ///
    /// # Errors
    /// What a scope must look like, if this is none.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let allowed = |b: u8| matches!(b, 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
        if text.is_empty() || text.len() > 128 || !text.bytes().all(allowed) {
            return Err(
                "must be 1 to 128 printable ASCII characters without space, \" and \\ (RFC 6749)",
            );
        }
        Ok(Self(text.into()))
    }

    /// The scope as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
