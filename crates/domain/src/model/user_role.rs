//! A role of a user.

use std::fmt;

use crate::model::Scope;

/// What a user is, for the services that read its tokens: 1 to 64 characters that a
/// scope may have. What a program may do is a [`Role`](crate::model::Role).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserRole(String);

impl UserRole {
    /// Reads a role.
    ///
    /// # Errors
    /// What a role must look like, if this is none.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > 64 || Scope::parse(text).is_err() {
            return Err("must be 1 to 64 printable ASCII characters without space, \" and \\");
        }
        Ok(Self(text.into()))
    }

    /// The role as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
