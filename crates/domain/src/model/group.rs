//! A group is a tenant: identifiers are unique inside it, and nothing crosses from
//! one to another.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{GroupPolicy, Timestamp};

/// The id of a group: 1 to 64 lower-case letters, digits and hyphens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupId(String);

/// A group as an operator has made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its id, which stays.
    pub id: GroupId,
    /// What people call it.
    pub display_name: String,
    /// What is different in it from the server's configuration.
    pub policy: GroupPolicy,
    /// Raised by each change, from 1.
    pub revision: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// A group as it was read: what it was made from and how often it was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupEtag {
    created_at: Timestamp,
    revision: i64,
}

impl Group {
    /// The most bytes of a name to display.
    pub const MAX_DISPLAY_NAME_BYTES: usize = 256;

    /// A group with the server's own policy.
    #[must_use]
    pub fn new(id: GroupId, now: Timestamp) -> Self {
        Self {
            id,
            display_name: String::new(),
            policy: GroupPolicy::default(),
            revision: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// What tells whether the group is as it was read.
    #[must_use]
    pub fn etag(&self) -> GroupEtag {
        GroupEtag {
            created_at: self.created_at,
            revision: self.revision,
        }
    }

    /// Reads a name to display, which may be empty.
    ///
    /// # Errors
    /// What it must look like, if this is none.
    pub fn parse_display_name(text: String) -> Result<String, &'static str> {
        if text.len() > Self::MAX_DISPLAY_NAME_BYTES {
            return Err("must be at most 256 bytes long");
        }
        if text.chars().any(char::is_control) {
            return Err("must not contain control characters");
        }
        Ok(text)
    }
}

impl GroupEtag {
    /// Reads an etag.
    ///
    /// # Errors
    /// What an etag must be, if this is none.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let parts = text.split_once('-').and_then(|(created_at, revision)| {
            let created_at = i64::from_str_radix(created_at, 16).ok()?;
            Some((created_at, revision.parse().ok()?))
        });
        let (created_at, revision) = parts.ok_or("must be the etag of an earlier answer")?;
        Ok(Self {
            created_at: Timestamp::from_millis(created_at),
            revision,
        })
    }
}

impl fmt::Display for GroupEtag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{}", self.created_at.as_millis(), self.revision)
    }
}

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

    /// Whether it is the group of those who name none.
    #[must_use]
    pub fn is_fallback(&self) -> bool {
        self.0 == "default"
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
