//! Service accounts, and their secrets and keys. The release before knows of none: it
//! takes their tokens for those of sessions, and heeds that a secret or a key of one is
//! taken away.

use sea_orm::sea_query::{ColumnDef, ForeignKey, ForeignKeyAction, TableCreateStatement};
use sea_orm::{DbBackend, Statement};

use super::step::{Migration, create, id, index, number, optional_number, table, text};

pub(super) const MIGRATION: Migration = Migration {
    version: 13,
    name: "m0013_create_service_accounts",
    compatible_from: 1,
    steps,
};

const ACCOUNTS: &str = "service_accounts";
const CREDENTIALS: &str = "service_account_credentials";

fn steps(backend: DbBackend) -> Vec<Statement> {
    let mut statements = create(
        backend,
        accounts(),
        vec![index(ACCOUNTS, &["group_id", "id"])],
    );
    let indexes = vec![
        index(CREDENTIALS, &["service_account_id"]),
        index(CREDENTIALS, &["sid"]).unique().take(),
    ];
    statements.extend(create(backend, credentials(), indexes));
    statements
}

fn accounts() -> TableCreateStatement {
    table(ACCOUNTS)
        .col(id("id").primary_key())
        .col(text("group_id", 64))
        .col(text("display_name", 256))
        .col(text("description", 1_024))
        .col(text("state", 16))
        .col(ColumnDef::new("grants").text().not_null())
        .col(number("revision"))
        .col(number("created_at"))
        .col(number("updated_at"))
        .take()
}

/// Each has a hash of a secret or a public key.
fn credentials() -> TableCreateStatement {
    table(CREDENTIALS)
        .col(id("id").primary_key())
        .col(id("service_account_id"))
        .col(ColumnDef::new("secret_hash").binary_len(32).null())
        .col(ColumnDef::new("public_key").text().null())
        .col(id("sid"))
        .col(number("created_at"))
        .col(optional_number("expires_at"))
        .foreign_key(
            ForeignKey::create()
                .name("service_account_credentials_to_service_accounts")
                .from(CREDENTIALS, "service_account_id")
                .to(ACCOUNTS, "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .take()
}
