//! What differs between the databases, as values: each backend's file fills one
//! [`Dialect`], and nothing else asks which backend it is.

use sea_orm::DbBackend;

/// How a database is spoken to.
#[derive(Debug)]
pub(super) struct Dialect {
    /// For sea-orm's statement builder.
    pub(super) backend: DbBackend,
    /// Whether connections cross a network, and can be lost without a word.
    pub(super) is_remote: bool,
    /// The time in milliseconds since 1970, UTC, at which the expression is
    /// evaluated: not that of the transaction's beginning.
    pub(super) now_millis: &'static str,
    /// Begins a transaction that will write.
    pub(super) begin: &'static str,
    /// Selects 1 if the database refuses writes on this connection, 0 if not.
    pub(super) select_read_only: &'static str,
    /// Selects whether the table `schema_versions` exists, as 1 or no row.
    pub(super) select_schema_versions: &'static str,
    /// Whether batches get connections of their own.
    pub(super) pins_connections: bool,
    /// The column `value` of `identifiers`, compared byte for byte, of which there is an
    /// index.
    pub(super) identifier_bytes: &'static str,
    /// Whether a list of users says `column >= text AND column <= text` of the first column
    /// of an index.
    pub(super) equals_by_range: bool,
    /// How a bounded number of rows is deleted.
    pub(super) batched_deletes: BatchedDeletes,
    /// How the rotations of a batch are written.
    pub(super) rotations: Rotations,
}

/// How a statement deletes a bounded number of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BatchedDeletes {
    /// `DELETE … LIMIT n`.
    Limit,
    /// `DELETE … WHERE id IN (SELECT … LIMIT n)`.
    Subselect,
    /// Likewise, passing over rows that somebody has locked.
    SubselectUnlocked,
}

/// How the rotations of a batch are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rotations {
    /// All in one statement, on a pinned connection.
    Set,
    /// All in one transaction: there is one writer.
    Transaction,
    /// Each by itself, at the same time: the server commits them in groups.
    Single,
}

/// What an error of a statement means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A value that exists once is taken: nothing was changed.
    Taken,
    /// Somebody else was faster, or a row that is pointed at is gone: nothing
    /// was changed.
    Conflict,
    /// What was written is refused, or a row is damaged, and with it the
    /// statement: nothing was changed. The text is free of values.
    Refused(String),
    /// The database refuses writes. The text is free of values.
    ReadOnly(String),
    /// The connection is of no use any more. The text is free of values.
    Lost(String),
    /// The statement failed, the connection is good. The text is free of values.
    Failed(String),
}
