//! The first tables. Ids are 16 bytes, times are milliseconds since 1970.

use sea_orm::sea_query::{ColumnDef, Expr, ExprTrait as _, Index, Query, TableCreateStatement};
use sea_orm::{DbBackend, Statement};

use super::step::{Migration, create, id, index, number, optional_number, table, text, to_user};

pub(super) const MIGRATION: Migration = Migration {
    version: 1,
    name: "m0001_create_tables",
    compatible_from: 1,
    steps,
};

fn steps(backend: DbBackend) -> Vec<Statement> {
    let tables = [
        (users(), vec![]),
        (identifiers(), vec![index("identifiers", &["user_id"])]),
        (credentials(), vec![]),
        (
            sessions(),
            vec![
                index("sessions", &["user_id", "id"]),
                index("sessions", &["expiry_day"]),
            ],
        ),
        (
            revocations(),
            vec![
                index("revocations", &["revoked_at", "session_id"]),
                index("revocations", &["expires_at"]),
            ],
        ),
        (signing_keys(), vec![]),
        (callers(), vec![]),
        (
            outbox(),
            vec![
                index("outbox", &["due_at", "id"]),
                index("outbox", &["expires_at"]),
            ],
        ),
        (heartbeat(), vec![]),
        (attempts_of_nobody(), vec![]),
    ];
    let mut statements: Vec<_> = tables
        .into_iter()
        .flat_map(|(table, indexes)| create(backend, table, indexes))
        .collect();
    statements.push(first_heartbeat(backend));
    if backend == DbBackend::Postgres {
        // Room on each page for the new version of a row that is refreshed.
        let fillfactor = "ALTER TABLE sessions SET (fillfactor = 80)";
        statements.push(Statement::from_string(backend, fillfactor));
    }
    statements
}

fn users() -> TableCreateStatement {
    table("users")
        .col(id("id").primary_key())
        .col(text("group_id", 64))
        .col(text("state", 16))
        .col(number("credential_version"))
        .col(number("created_at"))
        .take()
}

fn identifiers() -> TableCreateStatement {
    table("identifiers")
        .col(text("group_id", 64))
        .col(text("kind", 16))
        .col(text("value", 320))
        .col(id("user_id"))
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
        .col(number("access_expires_at"))
        .col(number("created_at"))
        .col(number("expires_at"))
        .col(number("ends_at"))
        .col(optional_number("revoked_at"))
        .col(number("expiry_day"))
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
        .col(optional_number("expires_at"))
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

fn outbox() -> TableCreateStatement {
    table("outbox")
        .col(id("id").primary_key())
        .col(text("kind", 16))
        .col(text("state", 16))
        .col(ColumnDef::new("sealed").blob().not_null())
        .col(number("attempts"))
        .col(optional_number("due_at"))
        .col(number("created_at"))
        .col(number("expires_at"))
        .take()
}

fn attempts_of_nobody() -> TableCreateStatement {
    table("attempts_of_nobody")
        .col(number("id").primary_key())
        .col(number("attempts"))
        .take()
}

fn heartbeat() -> TableCreateStatement {
    table("heartbeat")
        .col(number("id").primary_key())
        .col(number("beat_at"))
        .take()
}

/// The one row of the heartbeat, if it is not there yet.
fn first_heartbeat(backend: DbBackend) -> Statement {
    let is_there = Query::select()
        .expr(Expr::value(1))
        .from("heartbeat")
        .take();
    let row = Query::select()
        .expr(Expr::value(1_i64))
        .expr(Expr::value(0_i64))
        .and_where(Expr::exists(is_there).not())
        .take();
    let insert = Query::insert()
        .into_table("heartbeat")
        .columns(["id", "beat_at"])
        .select_from(row)
        .expect("two columns and two values")
        .take();
    backend.build(&insert)
}
