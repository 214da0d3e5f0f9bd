//! The first tables.
//!
//! Ids are 16 bytes and times are milliseconds since 1970 in a BIGINT. On MySQL
//! the character set and the collation are named, whatever the server's
//! defaults are: text compares byte for byte.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// See the module.
#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            users(),
            identifiers(),
            credentials(),
            sessions(),
            revocations(),
            signing_keys(),
            callers(),
        ] {
            let mut table = table;
            if manager.get_database_backend() == DbBackend::MySql {
                table
                    .engine("InnoDB")
                    .character_set("utf8mb4")
                    .collate("utf8mb4_bin");
            }
            manager.create_table(table).await?;
        }
        for (table, columns) in [
            ("users", &["state", "created_at"][..]),
            ("identifiers", &["user_id"]),
            ("sessions", &["user_id", "id"]),
            ("sessions", &["over_day"]),
            ("revocations", &["revoked_at"]),
            ("revocations", &["expires_at"]),
        ] {
            manager.create_index(index(table, columns)).await?;
        }
        if manager.get_database_backend() == DbBackend::Postgres {
            // Room on each page for the new version of a row that is refreshed.
            manager
                .get_connection()
                .execute_unprepared("ALTER TABLE sessions SET (fillfactor = 80)")
                .await?;
        }
        Ok(())
    }
}

fn table(name: &'static str) -> TableCreateStatement {
    Table::create().table(name).take()
}

fn index(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create();
    index
        .name(format!("{table}_by_{}", columns.join("_and_")))
        .table(table);
    for column in columns {
        index.col(*column);
    }
    index
}

fn id(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).binary_len(16).not_null().take()
}

fn text(name: &'static str, characters: u32) -> ColumnDef {
    ColumnDef::new(name)
        .string_len(characters)
        .not_null()
        .take()
}

fn number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().take()
}

fn optional_time(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().null().take()
}

fn to_user(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("{table}_to_users"))
        .from(table, "user_id")
        .to("users", "id")
        .on_delete(ForeignKeyAction::Cascade)
        .take()
}

fn users() -> TableCreateStatement {
    table("users")
        .col(id("id").primary_key())
        .col(text("group_id", 64))
        .col(text("state", 16))
        .col(number("created_at"))
        .take()
}

fn identifiers() -> TableCreateStatement {
    table("identifiers")
        .col(text("group_id", 64))
        .col(text("kind", 16))
        .col(text("value", 320))
        .col(id("user_id"))
        .col(optional_time("verified_at"))
        .primary_key(
            Index::create()
                .name("identifiers_are_unique_in_a_group")
                .col("group_id")
                .col("kind")
                .col("value"),
        )
        .foreign_key(&mut to_user("identifiers"))
        .take()
}

fn credentials() -> TableCreateStatement {
    table("credentials")
        .col(id("user_id").primary_key())
        .col(text("hash", 2048))
        .col(number("failures"))
        .col(number("updated_at"))
        .foreign_key(&mut to_user("credentials"))
        .take()
}

fn sessions() -> TableCreateStatement {
    table("sessions")
        .col(id("id").primary_key())
        .col(id("user_id"))
        .col(text("group_id", 64))
        .col(text("client_id", 255))
        .col(text("audience", 1024))
        .col(ColumnDef::new("scopes").text().not_null())
        .col(text("methods", 255))
        .col(ColumnDef::new("ip_address").string_len(45).null())
        .col(text("user_agent", 512))
        .col(id("salt"))
        .col(number("generation"))
        .col(number("parent"))
        .col(number("minted_at"))
        .col(number("created_at"))
        .col(number("expires_at"))
        .col(number("ends_at"))
        .col(optional_time("revoked_at"))
        .col(number("over_day"))
        .foreign_key(&mut to_user("sessions"))
        .take()
}

fn revocations() -> TableCreateStatement {
    table("revocations")
        .col(id("session_id").primary_key())
        .col(number("revoked_at"))
        .col(number("expires_at"))
        .take()
}

fn signing_keys() -> TableCreateStatement {
    table("signing_keys")
        .col(text("kid", 128).primary_key())
        .col(text("algorithm", 16))
        .col(text("state", 16))
        .col(ColumnDef::new("slot").string_len(16).null().unique_key())
        .col(ColumnDef::new("sealed").blob().not_null())
        .col(number("created_at"))
        .col(optional_time("expires_at"))
        .take()
}

fn callers() -> TableCreateStatement {
    table("callers")
        .col(text("name", 64).primary_key())
        .col(text("roles", 255))
        .col(ColumnDef::new("key_hash").binary_len(32).not_null())
        .col(number("created_at"))
        .take()
}
