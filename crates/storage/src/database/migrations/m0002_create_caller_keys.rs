//! Further keys of callers, and when keys were used last.
//!
//! `callers.key_hash` stays what it was: the key that a caller was made with, if
//! it does not expire, and 32 zeros, which nothing hashes to, if it does or was
//! removed. The release before knows that key alone. So it refuses a key that
//! expires, which it would accept for ever.

use sea_orm::sea_query::{ColumnDef, TableCreateStatement};
use sea_orm::{DbBackend, Statement};

use super::step::{Migration, create, index, number, optional_number, table, text, to_caller};

pub(super) const MIGRATION: Migration = Migration {
    version: 2,
    name: "m0002_create_caller_keys",
    compatible_from: 1,
    steps,
};

fn steps(backend: DbBackend) -> Vec<Statement> {
    let tables = [
        (caller_keys(), vec![index("caller_keys", &["caller"])]),
        (
            caller_key_uses(),
            vec![index("caller_key_uses", &["caller"])],
        ),
    ];
    tables
        .into_iter()
        .flat_map(|(table, indexes)| create(backend, table, indexes))
        .collect()
}

fn caller_keys() -> TableCreateStatement {
    table("caller_keys")
        .col(hash("key_hash").primary_key())
        .col(text("caller", 64))
        .col(number("created_at"))
        .col(optional_number("expires_at"))
        .foreign_key(&mut to_caller("caller_keys"))
        .take()
}

fn caller_key_uses() -> TableCreateStatement {
    table("caller_key_uses")
        .col(hash("key_hash").primary_key())
        .col(text("caller", 64))
        .col(number("used_at"))
        .foreign_key(&mut to_caller("caller_key_uses"))
        .take()
}

/// 32 bytes.
fn hash(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).binary_len(32).not_null().take()
}
