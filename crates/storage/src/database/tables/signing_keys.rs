//! Signing keys, sealed. The unique `slot` sees to it that there is one `next`
//! and one `active` key, whoever rotates at the same time.

use async_trait::async_trait;
use countersign_domain::model::{KeyState, SealedSigningKey, Timestamp};
use countersign_domain::ports::{SigningKeyChanges, SigningKeys, StoreError};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait as _;
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QueryResult};

use super::rows::{self, ALONE, parsed, time};
use crate::database::error::store_error;
use crate::database::handle::Database;
use crate::database::unit_of_work::SqlUnitOfWork;

/// A row. `slot` is the state of a key of which there is one, and NULL when it
/// is retired.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signing_keys")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub kid: String,
    pub algorithm: String,
    pub state: String,
    pub slot: Option<String>,
    pub sealed: Vec<u8>,
    pub created_at: i64,
    pub expires_at: Option<i64>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

impl From<&SealedSigningKey> for Model {
    fn from(key: &SealedSigningKey) -> Self {
        Self {
            kid: key.kid.clone(),
            algorithm: key.algorithm.as_str().into(),
            state: key.state.as_str().into(),
            slot: slot(key.state).map(Into::into),
            sealed: key.sealed.clone(),
            created_at: key.created_at.as_millis(),
            expires_at: key.expires_at.map(Timestamp::as_millis),
        }
    }
}

impl TryFrom<Model> for SealedSigningKey {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            kid: row.kid,
            algorithm: parsed(Column::Algorithm, row.algorithm.parse().ok())?,
            state: parsed(Column::State, KeyState::from_stored(&row.state))?,
            sealed: row.sealed,
            created_at: Timestamp::from_millis(row.created_at),
            expires_at: time(row.expires_at),
        })
    }
}

/// What only one key can have.
fn slot(state: KeyState) -> Option<&'static str> {
    match state {
        KeyState::Active | KeyState::Next => Some(state.as_str()),
        KeyState::Retired => None,
    }
}

#[async_trait]
impl SigningKeys for Database {
    async fn signing_keys(&self) -> Result<Vec<SealedSigningKey>, StoreError> {
        let select = Entity::find()
            .order_by_asc(Column::CreatedAt)
            .order_by_asc(Column::Kid);
        let rows = rows::all(select, &self.reader().statement("signing_keys.all")).await?;
        let kid = |row: &QueryResult| row.try_get("", Column::Kid.as_str()).ok();
        Ok(self.damaged.readable("signing_keys", &rows, kid, |row| {
            rows::model::<Entity>(row, ALONE)?.try_into()
        }))
    }
}

#[async_trait]
impl SigningKeyChanges for SqlUnitOfWork {
    async fn insert_signing_key(&mut self, key: &SealedSigningKey) -> Result<(), StoreError> {
        Entity::insert(Model::from(key).into_active_model())
            .exec_without_returning(&self.db().statement("signing_keys.insert"))
            .await
            .map(drop)
            .map_err(store_error)
    }

    async fn move_signing_key(
        &mut self,
        kid: &str,
        from: KeyState,
        to: KeyState,
        expires_at: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let updated = Entity::update_many()
            .col_expr(Column::State, Expr::value(to.as_str()))
            .col_expr(Column::Slot, Expr::value(slot(to)))
            .col_expr(
                Column::ExpiresAt,
                Expr::value(expires_at.map(Timestamp::as_millis)),
            )
            .filter(Column::Kid.eq(kid))
            .filter(Column::State.eq(from.as_str()))
            .exec(&self.db().statement("signing_keys.move"))
            .await
            .map_err(store_error)?;
        Ok(updated.rows_affected == 1)
    }

    async fn delete_signing_key(&mut self, kid: &str) -> Result<bool, StoreError> {
        let deleted = Entity::delete_by_id(kid)
            .exec(&self.db().statement("signing_keys.delete"))
            .await
            .map_err(store_error)?;
        Ok(deleted.rows_affected == 1)
    }

    async fn clear_signing_key_state(&mut self, state: KeyState) -> Result<bool, StoreError> {
        let Some(slot) = slot(state) else {
            return Ok(false);
        };
        let deleted = Entity::delete_many()
            .filter(Column::Slot.eq(slot).or(Column::State.eq(slot)))
            .exec(&self.db().statement("signing_keys.clear_state"))
            .await
            .map_err(store_error)?;
        Ok(deleted.rows_affected > 0)
    }
}
