//! Devices on which people have signed in. The release before knows of none.
//!
//! A user has as many places as devices: the one that comes takes the place of
//! the first one by one statement, for its number says which that is.

use sea_orm::sea_query::{ColumnDef, Index};
use sea_orm::{DbBackend, Statement};

use super::step::{Migration, create, id, index, number, optional_number, table, to_user};

pub(super) const MIGRATION: Migration = Migration {
    version: 6,
    name: "m0006_create_devices",
    compatible_from: 1,
    steps,
};

fn steps(backend: DbBackend) -> Vec<Statement> {
    let digest = ColumnDef::new("digest")
        .binary_len(32)
        .not_null()
        .unique_key()
        .take();
    let devices = table("devices")
        .col(id("user_id"))
        .col(number("place"))
        .col(number("number"))
        .col(digest)
        .col(number("credential_version"))
        .col(number("failures"))
        .col(optional_number("factor_shown_at"))
        .col(number("created_at"))
        .col(number("seen_at"))
        .col(number("expires_at"))
        .primary_key(Index::create().col("user_id").col("place"))
        .foreign_key(&mut to_user("devices"))
        .take();
    create(backend, devices, vec![index("devices", &["expires_at"])])
}
