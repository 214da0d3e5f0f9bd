//! Accounts at providers that are linked to users. The release before knows of none:
//! whoever signs in with one is refused there.

use sea_orm::sea_query::ColumnDef;
use sea_orm::{DbBackend, Statement};

use super::step::{Migration, create, id, index, number, optional_number, table, text, to_user};

pub(super) const MIGRATION: Migration = Migration {
    version: 15,
    name: "m0015_create_federated_identities",
    compatible_from: 1,
    steps,
};

fn steps(backend: DbBackend) -> Vec<Statement> {
    let key = id("id").primary_key().take();
    let identities = table("federated_identities")
        .col(key)
        .col(id("user_id"))
        .col(text("group_id", 64))
        .col(ColumnDef::new("subject").binary_len(32).not_null())
        .col(text("provider", 32))
        .col(ColumnDef::new("sealed").blob().not_null())
        .col(number("linked_at"))
        .col(optional_number("last_used_at"))
        .foreign_key(&mut to_user("federated_identities"))
        .take();
    let indexes = vec![
        index("federated_identities", &["subject", "group_id"])
            .unique()
            .take(),
        index("federated_identities", &["user_id"]),
    ];
    create(backend, identities, indexes)
}
