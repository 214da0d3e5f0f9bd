//! Profiles, roles and blocked accounts.
//!
//! A user who is suspended or has withdrawn is `pending` in the column that the
//! release before reads: it lets nobody sign in who is, and takes the row for no
//! damage. What else is new may be empty, as it is in its rows. It deletes users with
//! their roles, and leaves tombstones alone.

use sea_orm::sea_query::{ColumnDef, Index, TableCreateStatement};
use sea_orm::{DbBackend, Statement};

use super::step::{
    Migration, add_column, add_index, add_unique_index, create, id, index, number, optional_number,
    table, text, to_user,
};

pub(super) const MIGRATION: Migration = Migration {
    version: 11,
    name: "m0011_add_user_profiles",
    compatible_from: 1,
    steps,
};

fn steps(backend: DbBackend) -> Vec<Statement> {
    let columns = [
        optional_text("blocked", 16),
        optional_number("blocked_at"),
        optional_number("blocked_until"),
        optional_text("blocked_reason", 255),
        optional_text("external_id", 255),
        optional_text("name", 255),
        optional_text("locale", 35),
        optional_text("time_zone", 64),
        ColumnDef::new("attributes").text().null().take(),
        ColumnDef::new("roles").text().null().take(),
        ColumnDef::new("scopes").text().null().take(),
        optional_number("revision"),
        optional_number("updated_at"),
    ];
    let mut statements: Vec<_> = columns
        .into_iter()
        .map(|mut column| add_column(backend, "users", &mut column))
        .collect();
    let by_external_id = &["group_id", "external_id"];
    statements.push(add_unique_index(backend, "users", by_external_id));
    // The orders in which users are listed.
    for columns in [
        &["created_at", "id"][..],
        &["group_id", "created_at", "id"],
        &["state", "blocked", "created_at", "id"],
    ] {
        statements.push(add_index(backend, "users", columns));
    }
    if backend == DbBackend::Postgres {
        // Prefixes are ranges of bytes, whatever the collation of the database.
        let by_prefix = "CREATE INDEX IF NOT EXISTS identifiers_by_prefix \
                         ON identifiers (group_id, kind, value COLLATE \"C\")";
        statements.push(Statement::from_string(backend, by_prefix));
    }
    statements.extend(create(
        backend,
        user_roles(),
        vec![index("user_roles", &["user_id"])],
    ));
    statements.extend(create(
        backend,
        tombstones(),
        vec![index("tombstones", &["expires_at"])],
    ));
    statements
}

fn optional_text(name: &'static str, characters: u32) -> ColumnDef {
    ColumnDef::new(name).string_len(characters).null().take()
}

/// Who has a role, in the order in which users are listed. What a user's roles are
/// stands in the user's row.
fn user_roles() -> TableCreateStatement {
    table("user_roles")
        .col(text("role", 64))
        .col(number("created_at"))
        .col(id("user_id"))
        .primary_key(
            Index::create()
                .name("user_roles_are_listed_by_age")
                .col("role")
                .col("created_at")
                .col("user_id"),
        )
        .foreign_key(&mut to_user("user_roles"))
        .take()
}

/// Keyed hashes of the addresses of people who have left, until they may join again.
fn tombstones() -> TableCreateStatement {
    table("tombstones")
        .col(
            ColumnDef::new("digest")
                .binary_len(32)
                .not_null()
                .primary_key(),
        )
        .col(number("withdrawn_at"))
        .col(number("expires_at"))
        .take()
}
