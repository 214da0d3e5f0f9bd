//! A user of an existing database, as it is read there before it is adopted.

use crate::model::{Identifier, PasswordHash, Timestamp};

/// A user as an existing database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExistingUser {
    /// Its id there.
    pub external_id: String,
    /// Its identifiers. That database has to have verified its addresses.
    pub identifiers: Vec<Identifier>,
    /// What the person is called.
    pub name: Option<String>,
    /// The hash of its password, in whatever format it has there.
    pub password: Option<PasswordHash>,
    /// Whether it may sign in there.
    pub state: ExistingState,
    /// What its row has as an identifier, and is none here: left out.
    pub left_out: Vec<LeftOut>,
}

/// Whether a user of an existing database may sign in there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExistingState {
    /// It may.
    Active,
    /// It is banned.
    Suspended,
    /// It has left.
    Withdrawn {
        /// Since when, if that is known.
        since: Option<Timestamp>,
    },
}

/// A value that is no identifier here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The column.
    pub column: String,
    /// What it would have to be, or why it is not found at a sign-in.
    pub reason: String,
}

/// A row that cannot be read as a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableUser {
    /// Its id, if that can be read.
    pub external_id: Option<String>,
    /// Why it cannot be read. No value of the row is in it.
    pub reason: String,
}

impl ExistingState {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Withdrawn { .. } => "withdrawn",
        }
    }
}
