//! When the person of a session was last authenticated. A row without it, as those
//! are that were there before and those of the release before, was authenticated
//! when it was made: nothing has to be written into rows, and both releases read
//! each other's.

use sea_orm::{DbBackend, Statement};

use super::step::{Migration, add_column, optional_number};

pub(super) const MIGRATION: Migration = Migration {
    version: 7,
    name: "m0007_add_authentication_times",
    compatible_from: 1,
    steps,
};

fn steps(backend: DbBackend) -> Vec<Statement> {
    vec![add_column(
        backend,
        "sessions",
        &mut optional_number("authenticated_at"),
    )]
}
