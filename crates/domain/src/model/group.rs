//! A group is a tenant: identifiers are unique inside it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The id of a group: 1 to 64 lower-case letters, digits and hyphens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupId(String);

impl GroupId {
    /// The group of those who name none.
    #[must_use]
    pub fn fallback() -> Self {
        Self("default".into())
    }

    /// Reads a group's id; an empty one is the group `default`.
    ///
    /// # Errors
    /// What a group's id must look like, if this is none.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Ok(Self::fallback());
        }
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if text.len() > 64 || !text.bytes().all(allowed) {
            return Err("must be 1 to 64 lower-case letters, digits and hyphens");
        }
        Ok(Self(text.into()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
