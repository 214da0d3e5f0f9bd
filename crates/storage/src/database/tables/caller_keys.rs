//! The keys of callers besides the one that stands in the caller's own row: those
//! that expire, and the second of two.

use countersign_domain::model::{CallerKey, CallerName, KeyHash, Timestamp};
use countersign_domain::ports::StoreError;
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QueryResult, Select};

use super::rows::{self, ALONE, bytes, parsed, time};
use crate::database::connection::Db;
use crate::database::error::store_error;

/// A row.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "caller_keys")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub key_hash: Vec<u8>,
    pub caller: String,
    pub created_at: i64,
    pub expires_at: Option<i64>,
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

/// The keys of all callers, oldest first.
pub(super) fn select() -> Select<Entity> {
    Entity::find()
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::KeyHash)
}

/// Those of one caller.
pub(super) fn select_of(name: &CallerName) -> Select<Entity> {
    select().filter(Column::Caller.eq(name.as_str()))
}

/// A key, and the name of its caller.
pub(super) fn read(row: &QueryResult) -> Result<(CallerName, CallerKey), StoreError> {
    let row: Model = rows::model::<Entity>(row, ALONE)?;
    let caller = parsed(Column::Caller, CallerName::parse(&row.caller).ok())?;
    let key = CallerKey {
        hash: KeyHash::from_bytes(bytes(Column::KeyHash, row.key_hash)?),
        created_at: Timestamp::from_millis(row.created_at),
        expires_at: time(row.expires_at),
        last_used_at: None,
    };
    Ok((caller, key))
}

/// Of which caller a row is, as people read it.
pub(super) fn caller_of(row: &QueryResult) -> Option<String> {
    row.try_get("", Column::Caller.as_str()).ok()
}

pub(super) async fn insert(
    db: &Db<'_>,
    name: &CallerName,
    key: &CallerKey,
) -> Result<(), StoreError> {
    let row = Model {
        key_hash: key.hash.as_bytes().to_vec(),
        caller: name.as_str().into(),
        created_at: key.created_at.as_millis(),
        expires_at: key.expires_at.map(Timestamp::as_millis),
    };
    Entity::insert(row.into_active_model())
        .exec_without_returning(&db.statement("caller_keys.insert"))
        .await
        .map(drop)
        .map_err(store_error)
}

/// Tells whether it was there.
pub(super) async fn delete(
    db: &Db<'_>,
    name: &CallerName,
    hash: &KeyHash,
) -> Result<bool, StoreError> {
    let deleted = Entity::delete_many()
        .filter(Column::KeyHash.eq(hash.as_bytes().to_vec()))
        .filter(Column::Caller.eq(name.as_str()))
        .exec(&db.statement("caller_keys.delete"))
        .await
        .map_err(store_error)?;
    Ok(deleted.rows_affected == 1)
}
