//! Recovery codes, of which an HMAC is kept. A code that was taken is gone.

use countersign_domain::model::UserId;
use countersign_domain::ports::StoreError;
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel as _, QuerySelect as _};

use super::rows;
use crate::database::connection::Db;
use crate::database::error::store_error;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "recovery_codes")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Vec<u8>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: Vec<u8>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// How many codes a user has.
pub(super) async fn left(db: &Db<'_>, user: UserId) -> Result<u32, StoreError> {
    let select = Entity::find()
        .select_only()
        .column(Column::Digest)
        .filter(Column::UserId.eq(stored(user)));
    let rows = rows::all(select, &db.statement("recovery_codes.of_user")).await?;
    Ok(u32::try_from(rows.len()).unwrap_or(u32::MAX))
}

/// Takes a code by one statement: of many at once, one succeeds.
pub(super) async fn take(db: &Db<'_>, user: UserId, digest: &[u8; 32]) -> Result<bool, StoreError> {
    let deleted = Entity::delete_many()
        .filter(Column::UserId.eq(stored(user)))
        .filter(Column::Digest.eq(digest.to_vec()))
        .exec(&db.statement("recovery_codes.take"))
        .await
        .map_err(store_error)?;
    Ok(deleted.rows_affected == 1)
}

/// Puts codes in the place of all that the user has.
pub(super) async fn put(db: &Db<'_>, user: UserId, digests: &[[u8; 32]]) -> Result<(), StoreError> {
    Entity::delete_many()
        .filter(Column::UserId.eq(stored(user)))
        .exec(&db.statement("recovery_codes.delete_of_user"))
        .await
        .map_err(store_error)?;
    if digests.is_empty() {
        return Ok(());
    }
    let rows = digests.iter().map(|digest| {
        Model {
            user_id: stored(user),
            digest: digest.to_vec(),
        }
        .into_active_model()
    });
    Entity::insert_many(rows)
        .exec_without_returning(&db.statement("recovery_codes.insert"))
        .await
        .map(drop)
        .map_err(store_error)
}

fn stored(user: UserId) -> Vec<u8> {
    user.as_bytes().to_vec()
}
