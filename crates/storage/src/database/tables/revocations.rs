//! The revocation feed.

use async_trait::async_trait;
use countersign_domain::model::{Revocation, SessionId, Timestamp};
use countersign_domain::ports::{
    FeedPage, FeedPosition, RevocationChanges, Revocations, StoreError,
};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Cond, Expr, OnConflict, Query};
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QueryResult, QuerySelect as _};

use super::rows::{self, ALONE, bytes, corrupt};
use crate::database::connection::Db;
use crate::database::error::store_error;
use crate::database::handle::Database;
use crate::database::unit_of_work::SqlUnitOfWork;

/// A row. `revoked_at` is the database's time.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "revocations")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub session_id: Vec<u8>,
    pub revoked_at: i64,
    pub expires_at: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Revocation> for Model {
    fn from(revocation: &Revocation) -> Self {
        Self {
            session_id: revocation.session_id.as_bytes().to_vec(),
            revoked_at: revocation.revoked_at.as_millis(),
            expires_at: revocation.expires_at.as_millis(),
        }
    }
}

impl TryFrom<Model> for Revocation {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            session_id: SessionId::from_bytes(bytes(Column::SessionId, row.session_id)?),
            revoked_at: Timestamp::from_millis(row.revoked_at),
            expires_at: Timestamp::from_millis(row.expires_at),
        })
    }
}

#[async_trait]
impl Revocations for Database {
    async fn revocations(
        &self,
        from: &FeedPosition,
        now: Timestamp,
        limit: u32,
    ) -> Result<FeedPage, StoreError> {
        let revoked_at = from.revoked_at.as_millis();
        let mut select = Entity::find()
            .filter(Column::RevokedAt.gte(revoked_at))
            .filter(Column::ExpiresAt.gt(now.as_millis()))
            .order_by_asc(Column::RevokedAt)
            .order_by_asc(Column::SessionId)
            .limit(u64::from(limit));
        if let Some(after) = &from.after {
            let is_ahead = Cond::any()
                .add(Column::RevokedAt.gt(revoked_at))
                .add(Column::SessionId.gt(after.clone()));
            select = select.filter(is_ahead);
        }
        let rows = rows::all(select, &self.reader().statement("revocations.page")).await?;
        // From the last row that can be read: damaged ones do not end the feed.
        let is_full = rows.len() == limit as usize;
        let mut last_first = rows.iter().rev().filter(|_| is_full);
        let next = last_first.find_map(|row| position(row).ok());
        let key = |row: &QueryResult| rows::key_of_id(row, Column::SessionId);
        let revocations = self.damaged.readable("revocations", &rows, key, |row| {
            rows::model::<Entity>(row, ALONE)?.try_into()
        });
        Ok(FeedPage { revocations, next })
    }

    async fn revocations_of(&self, ids: &[SessionId]) -> Result<Vec<Revocation>, StoreError> {
        entries(&self.reader(), ids).await
    }
}

#[async_trait]
impl RevocationChanges for SqlUnitOfWork {
    async fn put_revocation(
        &mut self,
        id: SessionId,
        needed_until: Timestamp,
    ) -> Result<Revocation, StoreError> {
        let db = self.db();
        let mut entry = entry(&db, id, needed_until).await?;
        // The row is locked: nobody else makes it last shorter meanwhile.
        let select = Entity::find_by_id(id.as_bytes().to_vec()).lock_exclusive();
        let row = rows::first(select, &db.statement("revocations.lock")).await?;
        if let Some(row) = row {
            let known = row.try_get("", Column::ExpiresAt.as_str());
            // One that cannot be read is kept for good.
            let known = Timestamp::from_millis(known.unwrap_or(i64::MAX));
            entry.expires_at = entry.expires_at.max(known);
        }
        let anew = OnConflict::column(Column::SessionId)
            .update_columns([Column::RevokedAt, Column::ExpiresAt])
            .to_owned();
        Entity::insert(Model::from(&entry).into_active_model())
            .on_conflict(anew)
            .exec_without_returning(&db.statement("revocations.put"))
            .await
            .map_err(store_error)?;
        Ok(entry)
    }

    async fn insert_revocation(
        &mut self,
        id: SessionId,
        needed_until: Timestamp,
    ) -> Result<Revocation, StoreError> {
        let db = self.db();
        let entry = entry(&db, id, needed_until).await?;
        insert(&db, &[entry]).await?;
        Ok(entry)
    }

    async fn entered_revocations(
        &mut self,
        ids: &[SessionId],
    ) -> Result<Vec<Revocation>, StoreError> {
        entries(&self.db(), ids).await
    }
}

/// An entry under the database's time.
async fn entry(
    db: &Db<'_>,
    session_id: SessionId,
    needed_until: Timestamp,
) -> Result<Revocation, StoreError> {
    const STAMP: &str = "stamp";
    let now = Query::select()
        .expr_as(Expr::cust(db.dialect().now_millis), STAMP)
        .take();
    let row = db.statement("revocations.now").query_one(&now).await;
    let row = row
        .map_err(store_error)?
        .ok_or_else(|| corrupt(Column::RevokedAt))?;
    let revoked_at = Timestamp::from_millis(row.try_get("", STAMP).map_err(store_error)?);
    Ok(Revocation {
        session_id,
        revoked_at,
        expires_at: Revocation::kept_until(needed_until, revoked_at),
    })
}

/// The entries with these ids. One that cannot be read is an error: it may be the one
/// that counts.
async fn entries(db: &Db<'_>, ids: &[SessionId]) -> Result<Vec<Revocation>, StoreError> {
    let ids = ids.iter().map(|id| id.as_bytes().to_vec());
    let select = Entity::find().filter(Column::SessionId.is_in(ids));
    let rows = rows::all(select, &db.statement("revocations.of")).await?;
    let read = rows
        .iter()
        .map(|row| rows::model::<Entity>(row, ALONE)?.try_into());
    read.collect()
}

/// The position after a row, whatever bytes its id has.
fn position(row: &QueryResult) -> Result<FeedPosition, StoreError> {
    let revoked_at: i64 = row
        .try_get("", Column::RevokedAt.as_str())
        .map_err(|_| corrupt(Column::RevokedAt))?;
    Ok(FeedPosition {
        revoked_at: Timestamp::from_millis(revoked_at),
        after: Some(rows::stored_id(row, Column::SessionId)?),
    })
}

pub(super) async fn insert(db: &Db<'_>, revocations: &[Revocation]) -> Result<(), StoreError> {
    let rows = revocations
        .iter()
        .map(|revocation| Model::from(revocation).into_active_model());
    Entity::insert_many(rows)
        .exec_without_returning(&db.statement("revocations.insert"))
        .await
        .map(drop)
        .map_err(store_error)
}
