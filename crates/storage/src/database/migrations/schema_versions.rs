//! The table that tells which migrations were run, by releases old and new.
//!
//! A release works with the tables of its own version, and with newer ones as
//! long as these say that they are compatible with it: so the previous release
//! and this one can run side by side while an upgrade is under way.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, Query, TableCreateStatement};
use sea_orm::{DbBackend, DbErr, FromQueryResult, QueryOrder as _, QueryTrait as _, Statement};

use super::step::{Migration, number, table, text};
use crate::database::connection::Lease;

/// A migration that was run.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "schema_versions")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i64,
    pub name: String,
    pub compatible_from: i64,
    pub applied_at: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The table itself, which is there before the first migration.
pub(super) fn create() -> TableCreateStatement {
    table("schema_versions")
        .col(number("version").primary_key())
        .col(text("name", 128))
        .col(number("compatible_from"))
        .col(number("applied_at"))
        .if_not_exists()
        .take()
}

/// What was run, oldest first; nothing if the table is not there.
pub(super) async fn applied(connection: &mut Lease) -> Result<Vec<Model>, DbErr> {
    let dialect = connection.dialect();
    let is_there = Statement::from_string(dialect.backend, dialect.select_schema_versions);
    if connection.rows(&is_there).await?.is_empty() {
        return Ok(Vec::new());
    }
    let select = Entity::find().order_by_asc(Column::Version);
    let rows = connection.rows(&select.build(dialect.backend)).await?;
    rows.iter()
        .map(|row| Model::from_query_result(row, ""))
        .collect()
}

/// Writes down that a migration was run now.
pub(super) fn record(
    backend: DbBackend,
    migration: &Migration,
    now_millis: &'static str,
) -> Statement {
    let insert = Query::insert()
        .into_table(Entity)
        .columns([
            Column::Version,
            Column::Name,
            Column::CompatibleFrom,
            Column::AppliedAt,
        ])
        .values_panic([
            Expr::value(migration.version),
            Expr::value(migration.name),
            Expr::value(migration.compatible_from),
            Expr::cust(now_millis),
        ])
        .take();
    backend.build(&insert)
}

/// Why a release that knows the tables up to version `known` cannot work with
/// these; `None` if it can.
pub(super) fn refusal(applied: &[Model], known: i64) -> Option<String> {
    let newest = applied.iter().map(|model| model.version).max()?;
    let needed = applied.iter().map(|model| model.compatible_from).max()?;
    (needed > known).then(|| {
        format!(
            "the database has schema version {newest}, which needs a release that knows \
             version {needed} or later; this release knows version {known}: use a newer one"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(versions: &[(i64, i64)]) -> Vec<Model> {
        let model = |(version, compatible_from): &(i64, i64)| Model {
            version: *version,
            name: format!("m{version:04}"),
            compatible_from: *compatible_from,
            applied_at: 0,
        };
        versions.iter().map(model).collect()
    }

    #[test]
    fn a_release_works_with_newer_tables_that_are_compatible() {
        for (versions, known, works) in [
            (&[][..], 1, true),
            (&[(1, 1)], 1, true),
            (&[(1, 1), (2, 1)], 1, true),
            (&[(1, 1), (2, 1), (3, 2)], 1, false),
            (&[(1, 1), (2, 1), (3, 2)], 2, true),
            (&[(1, 1), (2, 2), (3, 1)], 1, false),
            (&[(1, 1)], 3, true),
        ] {
            let refusal = refusal(&applied(versions), known);
            assert_eq!(refusal.is_none(), works, "{versions:?} {known}");
        }
        let refusal = refusal(&applied(&[(1, 1), (7, 5)]), 2).expect("too new");
        for part in ["version 7", "version 5", "version 2"] {
            assert!(refusal.contains(part), "{refusal}");
        }
    }
}
