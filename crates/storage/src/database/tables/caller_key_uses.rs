//! When the keys of callers were used last: a table of its own, as it is written
//! again and again, by servers of which none knows the others' calls.

use countersign_domain::model::{CallerName, KeyHash, KeyUse, Timestamp};
use countersign_domain::ports::StoreError;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{CaseStatement, ExprTrait as _, OnConflict, Query};
use sea_orm::{QueryResult, Select};

use super::rows::{self, ALONE, bytes};
use crate::database::connection::Db;
use crate::database::error::store_error;

/// A row.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "caller_key_uses")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub key_hash: Vec<u8>,
    pub caller: String,
    pub used_at: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model")
            .field("caller", &self.caller)
            .finish_non_exhaustive()
    }
}

/// The last uses of all keys.
pub(super) fn select() -> Select<Entity> {
    Entity::find()
}

/// Those of one caller's keys.
pub(super) fn select_of(name: &CallerName) -> Select<Entity> {
    select().filter(Column::Caller.eq(name.as_str()))
}

/// The hash of a key, and when it was used.
pub(super) fn read(row: &QueryResult) -> Result<(KeyHash, Timestamp), StoreError> {
    let row: Model = rows::model::<Entity>(row, ALONE)?;
    let hash = KeyHash::from_bytes(bytes(Column::KeyHash, row.key_hash)?);
    Ok((hash, Timestamp::from_millis(row.used_at)))
}

/// Of which caller a row is, as people read it.
pub(super) fn caller_of(row: &QueryResult) -> Option<String> {
    row.try_get("", Column::Caller.as_str()).ok()
}

/// Writes a use down, if the caller is there and no later one is known.
pub(super) async fn note(db: &Db<'_>, used: &KeyUse) -> Result<(), StoreError> {
    let at = used.at.as_millis();
    let row_of_caller = Query::select()
        .expr(Expr::value(used.hash.as_bytes().to_vec()))
        .column("name")
        .expr(Expr::value(at))
        .from("callers")
        .and_where(Expr::col("name").eq(used.caller.as_str()))
        .take();
    let known = || Expr::col((Entity, Column::UsedAt));
    let later = CaseStatement::new()
        .case(known().lt(at), Expr::value(at))
        .finally(known());
    let mut insert = Query::insert();
    insert
        .into_table(Entity)
        .columns([Column::KeyHash, Column::Caller, Column::UsedAt])
        .select_from(row_of_caller)
        .expect("three columns and three values")
        .on_conflict(
            OnConflict::column(Column::KeyHash)
                .value(Column::UsedAt, later)
                .to_owned(),
        );
    let noted = db.statement("caller_key_uses.note").execute(&insert).await;
    noted.map(drop).map_err(store_error)
}

/// Forgets the use of a key that is gone.
pub(super) async fn delete(db: &Db<'_>, hash: &KeyHash) -> Result<(), StoreError> {
    Entity::delete_by_id(hash.as_bytes().to_vec())
        .exec(&db.statement("caller_key_uses.delete"))
        .await
        .map(drop)
        .map_err(store_error)
}
