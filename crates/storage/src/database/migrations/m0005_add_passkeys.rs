//! What passkeys are found by, and room for their keys. The release before knows
//! of none: to it, a passkey is a factor that cannot be read.

use sea_orm::sea_query::{ColumnDef, ForeignKey, ForeignKeyAction};
use sea_orm::{DbBackend, Statement};

use super::step::{Migration, create, id, index, table};

pub(super) const MIGRATION: Migration = Migration {
    version: 5,
    name: "m0005_add_passkeys",
    compatible_from: 1,
    steps,
};

fn steps(backend: DbBackend) -> Vec<Statement> {
    let credentials = table("factor_credentials")
        .col(
            ColumnDef::new("credential")
                .binary_len(32)
                .not_null()
                .primary_key(),
        )
        .col(id("factor_id"))
        .foreign_key(
            ForeignKey::create()
                .name("factor_credentials_to_factors")
                .from("factor_credentials", "factor_id")
                .to("factors", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .take();
    let by_factor = index("factor_credentials", &["factor_id"]);
    let mut statements = create(backend, credentials, vec![by_factor]);
    if backend == DbBackend::MySql {
        // The others bound no bytes.
        let wider = "ALTER TABLE factors MODIFY COLUMN sealed varbinary(2048) NOT NULL";
        statements.push(Statement::from_string(backend, wider));
    }
    statements
}
