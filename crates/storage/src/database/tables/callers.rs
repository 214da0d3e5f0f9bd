//! The programs that may call, and the hashes of their keys.

use async_trait::async_trait;
use countersign_domain::model::{Caller, CallerName, Role, Timestamp};
use countersign_domain::ports::{CallerChanges, Callers, StoreError};
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QueryResult};

use super::rows::{self, ALONE, bytes, joined, parsed, words};
use crate::database::error::store_error;
use crate::database::handle::Database;
use crate::database::unit_of_work::SqlUnitOfWork;

/// A row.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "callers")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub roles: String,
    pub key_hash: Vec<u8>,
    pub created_at: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl From<&Caller> for Model {
    fn from(caller: &Caller) -> Self {
        Self {
            name: caller.name.as_str().into(),
            roles: joined(caller.roles.iter().copied().map(Role::as_str)),
            key_hash: caller.key_hash.to_vec(),
            created_at: caller.created_at.as_millis(),
        }
    }
}

impl TryFrom<Model> for Caller {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            name: parsed(Column::Name, CallerName::parse(&row.name).ok())?,
            roles: words(Column::Roles, &row.roles, |word| word.parse().ok())?,
            key_hash: bytes(Column::KeyHash, row.key_hash)?,
            created_at: Timestamp::from_millis(row.created_at),
        })
    }
}

#[async_trait]
impl Callers for Database {
    async fn callers(&self) -> Result<Vec<Caller>, StoreError> {
        let select = Entity::find().order_by_asc(Column::Name);
        let rows = rows::all(select, &self.reader().statement("callers.all")).await?;
        let name = |row: &QueryResult| row.try_get("", Column::Name.as_str()).ok();
        Ok(self.damaged.readable("callers", &rows, name, |row| {
            rows::model::<Entity>(row, ALONE)?.try_into()
        }))
    }
}

#[async_trait]
impl CallerChanges for SqlUnitOfWork {
    async fn insert_caller(&mut self, caller: &Caller) -> Result<(), StoreError> {
        Entity::insert(Model::from(caller).into_active_model())
            .exec_without_returning(&self.db().statement("callers.insert"))
            .await
            .map(drop)
            .map_err(store_error)
    }

    async fn delete_caller(&mut self, name: &CallerName) -> Result<bool, StoreError> {
        let deleted = Entity::delete_by_id(name.as_str())
            .exec(&self.db().statement("callers.delete"))
            .await
            .map_err(store_error)?;
        Ok(deleted.rows_affected == 1)
    }
}
