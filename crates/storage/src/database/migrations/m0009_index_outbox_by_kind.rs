//! An index by which codes are claimed before notices, however many of these wait.
//! The release before goes on by the index that it has, which claims what is no code.

use sea_orm::{DbBackend, Statement};

use super::step::{Migration, add_index};

pub(super) const MIGRATION: Migration = Migration {
    version: 9,
    name: "m0009_index_outbox_by_kind",
    compatible_from: 1,
    steps,
};

fn steps(backend: DbBackend) -> Vec<Statement> {
    vec![add_index(backend, "outbox", &["kind", "due_at", "id"])]
}
