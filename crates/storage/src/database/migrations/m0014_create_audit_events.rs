//! The audit log. Rows point at no other table: they outlive what they tell of. Each index
//! ends with the id, which begins with the time: a list begins anywhere in it.

use sea_orm::sea_query::ColumnDef;
use sea_orm::{DbBackend, Statement};

use super::step::{Migration, create, id, index, optional_number, table, text};

pub(super) const MIGRATION: Migration = Migration {
    version: 14,
    name: "m0014_create_audit_events",
    compatible_from: 1,
    steps,
};

fn steps(backend: DbBackend) -> Vec<Statement> {
    let events = table("audit_events")
        .col(id("id").primary_key())
        .col(text("action", 40))
        .col(ColumnDef::new("refused").small_integer().not_null())
        .col(optional_text("refusal", 64))
        .col(optional_number("attempts"))
        .col(optional_number("last_at"))
        .col(text("actor", 16))
        .col(optional_text("caller", 64))
        .col(optional_id("person"))
        .col(optional_id("user_id"))
        .col(optional_text("group_id", 64))
        .col(optional_id("session_id"))
        .col(optional_text("target", 256))
        .col(optional_text("masked", 256))
        .col(optional_text("peer", 45))
        .col(optional_text("client_ip", 45))
        .col(text("user_agent", 256))
        .col(optional_text("request_id", 64))
        .col(text("detail", 256))
        .take();
    let indexes = vec![
        index("audit_events", &["user_id", "id"]),
        index("audit_events", &["session_id", "id"]),
        index("audit_events", &["caller", "id"]),
        index("audit_events", &["group_id", "id"]),
        index("audit_events", &["action", "refused", "id"]),
    ];
    create(backend, events, indexes)
}

fn optional_text(name: &'static str, characters: u32) -> ColumnDef {
    ColumnDef::new(name).string_len(characters).null().take()
}

fn optional_id(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).binary_len(16).null().take()
}
