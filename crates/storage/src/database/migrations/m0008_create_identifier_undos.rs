//! Changes of addresses that can be undone. The release before knows of none: it
//! gives an address that is held here to whoever proves it.

use sea_orm::sea_query::ColumnDef;
use sea_orm::{DbBackend, Statement};

use super::step::{Migration, create, id, index, number, table, to_user};

pub(super) const MIGRATION: Migration = Migration {
    version: 8,
    name: "m0008_create_identifier_undos",
    compatible_from: 1,
    steps,
};

fn steps(backend: DbBackend) -> Vec<Statement> {
    let digest = ColumnDef::new("digest")
        .binary_len(32)
        .not_null()
        .primary_key()
        .take();
    let undos = table("identifier_undos")
        .col(digest)
        .col(id("user_id"))
        .col(number("number"))
        .col(ColumnDef::new("held").binary_len(32).null())
        .col(ColumnDef::new("sealed").blob().not_null())
        .col(number("created_at"))
        .col(number("expires_at"))
        .foreign_key(&mut to_user("identifier_undos"))
        .take();
    let indexes = vec![
        index("identifier_undos", &["user_id", "number"]),
        index("identifier_undos", &["held"]),
        index("identifier_undos", &["expires_at"]),
    ];
    create(backend, undos, indexes)
}
