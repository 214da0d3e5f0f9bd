//! A user as a source has it: where it stands, and what is sent of it or why nothing is.

use std::fmt;

use countersign_proto::v1;

/// Where a user stands in its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// The line of a file, from 1 on.
    Line(u64),
    /// A row of a table, by its id.
    Row(String),
}

/// What is wrong with a user. No value of the user is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    /// What the source calls the field, or nothing if it is the record as a whole.
    pub(super) field: String,
    /// What would be right.
    pub(super) rule: String,
}

/// A user, and where it stands.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) place: Place,
    pub(super) user: Result<v1::ImportedUser, Wrong>,
    /// What cannot be taken over of a user who is imported all the same.
    pub(super) left_out: Vec<Wrong>,
}

/// Why a source cannot be read on.
#[derive(Debug)]
pub(super) enum SourceError {
    /// The file is not one that could be imported.
    Unfit(String),
    /// The file cannot be read.
    Unreadable(String),
    /// The table does not fit the configuration.
    Mapping(String),
    /// The database does not answer.
    Unavailable(String),
}

impl Wrong {
    pub(super) fn new(field: impl Into<String>, rule: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            rule: rule.into(),
        }
    }
}

impl Record {
    /// A user with nothing left out.
    pub(super) fn new(place: Place, user: Result<v1::ImportedUser, Wrong>) -> Self {
        Self {
            place,
            user,
            left_out: Vec::new(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number) => write!(f, "line {number}"),
            Self::Row(id) => write!(f, "row {id}"),
        }
    }
}
