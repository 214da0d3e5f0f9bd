//! The names in client certificates by which callers are recognised. The release
//! before knows of none: to it, a caller with a certificate alone has no key.

use sea_orm::{DbBackend, Statement};

use super::step::{Migration, create, index, table, text, to_caller};

pub(super) const MIGRATION: Migration = Migration {
    version: 3,
    name: "m0003_create_caller_sans",
    compatible_from: 1,
    steps,
};

fn steps(backend: DbBackend) -> Vec<Statement> {
    let sans = table("caller_sans")
        .col(text("san", 512).primary_key())
        .col(text("caller", 64))
        .foreign_key(&mut to_caller("caller_sans"))
        .take();
    create(backend, sans, vec![index("caller_sans", &["caller"])])
}
