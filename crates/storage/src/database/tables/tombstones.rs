//! What is left of the addresses of people who have left.

use async_trait::async_trait;
use countersign_domain::model::{Timestamp, Tombstone, TombstoneDigest};
use countersign_domain::ports::{StoreError, TombstoneChanges};
use sea_orm::IntoActiveModel as _;
use sea_orm::entity::prelude::*;

use super::rows::{self, ALONE, bytes, instant};
use crate::database::error::store_error;
use crate::database::unit_of_work::SqlUnitOfWork;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tombstones")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: Vec<u8>,
    pub withdrawn_at: i64,
    pub expires_at: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Tombstone> for Model {
    fn from(tombstone: &Tombstone) -> Self {
        Self {
            digest: tombstone.digest.as_bytes().to_vec(),
            withdrawn_at: tombstone.withdrawn_at.as_millis(),
            expires_at: tombstone.expires_at.as_millis(),
        }
    }
}

impl TryFrom<Model> for Tombstone {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            digest: TombstoneDigest::from_bytes(bytes(Column::Digest, row.digest)?),
            withdrawn_at: instant(Column::WithdrawnAt, row.withdrawn_at)?,
            expires_at: instant(Column::ExpiresAt, row.expires_at)?,
        })
    }
}

#[async_trait]
impl TombstoneChanges for SqlUnitOfWork {
    /// In the place of one that is there: whoever writes it has locked the holder of the
    /// address, of whom there is one.
    async fn put_tombstone(&mut self, tombstone: &Tombstone) -> Result<(), StoreError> {
        let mut row = Model::from(tombstone);
        let digest = row.digest.clone();
        let select = Entity::find_by_id(digest.clone());
        let there = rows::first(select, &self.db().statement("tombstones.by_digest")).await?;
        if let Some(there) = there {
            let there = rows::model::<Entity>(&there, ALONE)?;
            row.withdrawn_at = row.withdrawn_at.max(there.withdrawn_at);
            row.expires_at = row.expires_at.max(there.expires_at);
            Entity::delete_by_id(digest)
                .exec(&self.db().statement("tombstones.delete"))
                .await
                .map_err(store_error)?;
        }
        Entity::insert(row.into_active_model())
            .exec_without_returning(&self.db().statement("tombstones.insert"))
            .await
            .map(drop)
            .map_err(store_error)
    }

    async fn tombstone(
        &mut self,
        digest: &TombstoneDigest,
        now: Timestamp,
    ) -> Result<Option<Tombstone>, StoreError> {
        let select = Entity::find_by_id(digest.as_bytes().to_vec())
            .filter(Column::ExpiresAt.gt(now.as_millis()));
        let row = rows::first(select, &self.db().statement("tombstones.by_digest")).await?;
        row.map(|row| rows::model::<Entity>(&row, ALONE)?.try_into())
            .transpose()
    }
}
