//! The names in client certificates by which callers are recognised. One name is
//! one caller's.

use countersign_domain::model::{CallerName, SubjectAltName};
use countersign_domain::ports::StoreError;
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel as _, QueryResult, Select};

use super::rows::{self, ALONE, parsed};
use crate::database::connection::Db;
use crate::database::error::store_error;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "caller_sans")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub san: String,
    pub caller: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The names of all callers.
pub(super) fn select() -> Select<Entity> {
    Entity::find()
}

/// Those of one caller.
pub(super) fn select_of(name: &CallerName) -> Select<Entity> {
    select().filter(Column::Caller.eq(name.as_str()))
}

/// A name, and that of its caller.
pub(super) fn read(row: &QueryResult) -> Result<(CallerName, SubjectAltName), StoreError> {
    let row: Model = rows::model::<Entity>(row, ALONE)?;
    let caller = parsed(Column::Caller, CallerName::parse(&row.caller).ok())?;
    let san = parsed(Column::San, SubjectAltName::parse(&row.san).ok())?;
    Ok((caller, san))
}

/// Of which caller a row is, as people read it.
pub(super) fn caller_of(row: &QueryResult) -> Option<String> {
    row.try_get("", Column::Caller.as_str()).ok()
}

pub(super) async fn insert(
    db: &Db<'_>,
    name: &CallerName,
    san: &SubjectAltName,
) -> Result<(), StoreError> {
    let row = Model {
        san: san.as_str().into(),
        caller: name.as_str().into(),
    };
    Entity::insert(row.into_active_model())
        .exec_without_returning(&db.statement("caller_sans.insert"))
        .await
        .map(drop)
        .map_err(store_error)
}

/// Tells whether it was there.
pub(super) async fn delete(
    db: &Db<'_>,
    name: &CallerName,
    san: &SubjectAltName,
) -> Result<bool, StoreError> {
    let deleted = Entity::delete_many()
        .filter(Column::San.eq(san.as_str()))
        .filter(Column::Caller.eq(name.as_str()))
        .exec(&db.statement("caller_sans.delete"))
        .await
        .map_err(store_error)?;
    Ok(deleted.rows_affected == 1)
}
