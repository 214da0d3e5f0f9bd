//! Changes of addresses that can be undone, and the addresses that are held for
//! those who had them.

use async_trait::async_trait;
use countersign_domain::model::{HeldDigest, IdentifierUndo, Timestamp, UndoDigest, UserId};
use countersign_domain::ports::{IdentifierUndoChanges, IdentifierUndos, StoreError};
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QueryResult, QuerySelect as _};

use super::rows::{self, ALONE, bytes, corrupt, instant, key_of_id};
use crate::database::error::store_error;
use crate::database::handle::Database;
use crate::database::unit_of_work::SqlUnitOfWork;

const TABLE: &str = "identifier_undos";

/// A row. The changes of a user are numbered as they come: a clock may be set back.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "identifier_undos")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: Vec<u8>,
    pub user_id: Vec<u8>,
    pub number: i64,
    pub held: Option<Vec<u8>>,
    pub sealed: Vec<u8>,
    pub created_at: i64,
    pub expires_at: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model").finish_non_exhaustive()
    }
}

fn read(row: &QueryResult) -> Result<IdentifierUndo, StoreError> {
    let row = rows::model::<Entity>(row, ALONE)?;
    let held = row.held.map(|held| bytes(Column::Held, held)).transpose()?;
    Ok(IdentifierUndo {
        digest: UndoDigest::from_bytes(bytes(Column::Digest, row.digest)?),
        user_id: UserId::from_bytes(bytes(Column::UserId, row.user_id)?),
        held: held.map(HeldDigest::from_bytes),
        sealed: row.sealed,
        created_at: instant(Column::CreatedAt, row.created_at)?,
        expires_at: instant(Column::ExpiresAt, row.expires_at)?,
    })
}

impl Database {
    /// Reads a change. One that cannot be read is named in the log, by its user.
    fn read_undo(&self, row: &QueryResult) -> Result<IdentifierUndo, StoreError> {
        read(row).inspect_err(|cause| {
            let key = key_of_id(row, Column::UserId);
            let key = key.unwrap_or_else(|| "(its user cannot be read)".into());
            let consequence = "a row cannot be read: no change of the user can be undone";
            self.damaged
                .report(TABLE, &key, &cause.to_string(), consequence);
        })
    }
}

#[async_trait]
impl IdentifierUndos for Database {
    async fn identifier_undo(
        &self,
        digest: &UndoDigest,
    ) -> Result<Option<IdentifierUndo>, StoreError> {
        let select = Entity::find_by_id(digest.as_bytes().to_vec());
        let reader = self.reader();
        let row = rows::first(select, &reader.statement("identifier_undos.by_digest")).await?;
        row.map(|row| self.read_undo(&row)).transpose()
    }

    async fn identifier_undos(
        &self,
        user: UserId,
    ) -> Result<Vec<Result<IdentifierUndo, StoreError>>, StoreError> {
        let select = Entity::find()
            .filter(Column::UserId.eq(stored(user)))
            .order_by_asc(Column::Number);
        let reader = self.reader();
        let rows = rows::all(select, &reader.statement("identifier_undos.of_user")).await?;
        Ok(rows.iter().map(|row| self.read_undo(row)).collect())
    }
}

#[async_trait]
impl IdentifierUndoChanges for SqlUnitOfWork {
    async fn insert_identifier_undo(&mut self, undo: &IdentifierUndo) -> Result<(), StoreError> {
        let db = self.db();
        let newest = Entity::find()
            .select_only()
            .column(Column::Number)
            .filter(Column::UserId.eq(stored(undo.user_id)))
            .order_by_desc(Column::Number)
            .limit(1);
        let newest = rows::first(newest, &db.statement("identifier_undos.newest")).await?;
        let newest: i64 = match newest {
            Some(row) => row
                .try_get("", Column::Number.as_str())
                .map_err(|_| corrupt(Column::Number))?,
            None => -1,
        };
        let row = Model {
            digest: undo.digest.as_bytes().to_vec(),
            user_id: stored(undo.user_id),
            number: newest.saturating_add(1),
            held: undo.held.map(|held| held.as_bytes().to_vec()),
            sealed: undo.sealed.clone(),
            created_at: undo.created_at.as_millis(),
            expires_at: undo.expires_at.as_millis(),
        };
        Entity::insert(row.into_active_model())
            .exec_without_returning(&db.statement("identifier_undos.insert"))
            .await
            .map(drop)
            .map_err(store_error)
    }

    async fn last_undo_expiry(&mut self, user: UserId) -> Result<Option<Timestamp>, StoreError> {
        let last = Entity::find()
            .select_only()
            .column(Column::ExpiresAt)
            .filter(Column::UserId.eq(stored(user)))
            .order_by_desc(Column::ExpiresAt)
            .limit(1);
        let last = rows::first(last, &self.db().statement("identifier_undos.last_expiry")).await?;
        let expiry = last.map(|row| row.try_get("", Column::ExpiresAt.as_str()));
        let expiry = expiry.transpose().map_err(|_| corrupt(Column::ExpiresAt))?;
        Ok(expiry.map(Timestamp::from_millis))
    }

    /// The row itself goes first: of many at once, one deletes it.
    async fn take_identifier_undo(
        &mut self,
        digest: &UndoDigest,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let db = self.db();
        let select = Entity::find_by_id(digest.as_bytes().to_vec())
            .filter(Column::ExpiresAt.gt(now.as_millis()));
        let row = rows::first(select, &db.statement("identifier_undos.to_take")).await?;
        let Some(row) = row else {
            return Ok(false);
        };
        let row = rows::model::<Entity>(&row, ALONE)?;
        let deleted = Entity::delete_by_id(digest.as_bytes().to_vec())
            .exec(&db.statement("identifier_undos.take"))
            .await
            .map_err(store_error)?;
        if deleted.rows_affected == 0 {
            return Ok(false);
        }
        Entity::delete_many()
            .filter(Column::UserId.eq(row.user_id))
            .filter(Column::Number.gt(row.number))
            .exec(&db.statement("identifier_undos.take_later"))
            .await
            .map_err(store_error)?;
        Ok(true)
    }

    async fn is_identifier_held(
        &mut self,
        held: &HeldDigest,
        besides: UserId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let select = Entity::find()
            .select_only()
            .column(Column::Number)
            .filter(Column::Held.eq(held.as_bytes().to_vec()))
            .filter(Column::UserId.ne(stored(besides)))
            .filter(Column::ExpiresAt.gt(now.as_millis()))
            .limit(1);
        let row = rows::first(select, &self.db().statement("identifier_undos.held")).await?;
        Ok(row.is_some())
    }
}

fn stored(user: UserId) -> Vec<u8> {
    user.as_bytes().to_vec()
}
