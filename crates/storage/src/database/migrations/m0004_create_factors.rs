//! Second factors and recovery codes. The release before knows of none, and
//! asks for none.

use sea_orm::sea_query::{ColumnDef, Index};
use sea_orm::{DbBackend, Statement};

use super::step::{Migration, create, id, index, number, table, text, to_user};

pub(super) const MIGRATION: Migration = Migration {
    version: 4,
    name: "m0004_create_factors",
    compatible_from: 1,
    steps,
};

fn steps(backend: DbBackend) -> Vec<Statement> {
    let factors = table("factors")
        .col(id("id").primary_key())
        .col(id("user_id"))
        .col(text("kind", 16))
        .col(text("label", 64))
        .col(bytes("sealed", 255))
        .col(number("last_step"))
        .col(number("created_at"))
        .foreign_key(&mut to_user("factors"))
        .take();
    let recovery_codes = table("recovery_codes")
        .col(id("user_id"))
        .col(ColumnDef::new("digest").binary_len(32).not_null())
        .primary_key(Index::create().col("user_id").col("digest"))
        .foreign_key(&mut to_user("recovery_codes"))
        .take();
    let tables = [
        (factors, vec![index("factors", &["user_id"])]),
        (recovery_codes, Vec::new()),
    ];
    tables
        .into_iter()
        .flat_map(|(table, indexes)| create(backend, table, indexes))
        .collect()
}

/// Up to so many bytes.
fn bytes(name: &'static str, most: u32) -> ColumnDef {
    ColumnDef::new(name).var_binary(most).not_null().take()
}
