//! The revocation feed.

use async_trait::async_trait;
use countersign_domain::model::{Revocation, SessionId, Timestamp};
use countersign_domain::ports::{Revocations, StoreError};
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QueryResult};

use super::rows::{self, ALONE, bytes};
use crate::database::connection::Db;
use crate::database::error::store_error;
use crate::database::handle::Database;

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
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Revocation>, StoreError> {
        let select = Entity::find()
            .filter(Column::RevokedAt.gte(since.as_millis()))
            .filter(Column::ExpiresAt.gt(now.as_millis()))
            .order_by_asc(Column::RevokedAt);
        let rows = rows::all(select, &self.reader().statement("revocations.since")).await?;
        Ok(self.damaged.readable("revocations", &rows, key, |row| {
            rows::model::<Entity>(row, ALONE)?.try_into()
        }))
    }
}

/// The session's id as people write it, or the bytes that are there instead.
fn key(row: &QueryResult) -> Option<String> {
    let id: Vec<u8> = row.try_get("", Column::SessionId.as_str()).ok()?;
    let text = match <[u8; 16]>::try_from(id.as_slice()) {
        Ok(id) => SessionId::from_bytes(id).to_string(),
        Err(_) => format!("{} bytes", id.len()),
    };
    Some(text)
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
