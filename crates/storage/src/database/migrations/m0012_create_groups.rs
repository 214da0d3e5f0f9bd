//! The groups that operators make, and a row for each that users are in already. The
//! release before knows of none: there any id is a group.

use sea_orm::sea_query::{ColumnDef, Expr, ExprTrait as _, Query};
use sea_orm::{DbBackend, Statement};

use super::step::{Migration, create, number, table, text};

pub(super) const MIGRATION: Migration = Migration {
    version: 12,
    name: "m0012_create_groups",
    compatible_from: 1,
    steps,
};

fn steps(backend: DbBackend) -> Vec<Statement> {
    let groups = table("groups")
        .col(text("id", 64).primary_key())
        .col(text("display_name", 256))
        .col(ColumnDef::new("policy").text().not_null())
        .col(number("revision"))
        .col(number("created_at"))
        .col(number("updated_at"))
        .take();
    let mut statements = create(backend, groups, vec![]);
    statements.push(groups_of_users(backend));
    statements
}

/// The groups that users are in, if they are not there yet. When the first of their
/// users came is when they were made.
fn groups_of_users(backend: DbBackend) -> Statement {
    let known = Query::select().column("id").from("groups").take();
    let first = || Expr::col("created_at").min();
    let rows = Query::select()
        .column("group_id")
        .expr(Expr::value(""))
        .expr(Expr::value("{}"))
        .expr(Expr::value(1_i64))
        .expr(first())
        .expr(first())
        .from("users")
        .and_where(Expr::col("group_id").not_in_subquery(known))
        .group_by_col("group_id")
        .take();
    let insert = Query::insert()
        .into_table("groups")
        .columns([
            "id",
            "display_name",
            "policy",
            "revision",
            "created_at",
            "updated_at",
        ])
        .select_from(rows)
        .expect("six columns and six values")
        .take();
    backend.build(&insert)
}
