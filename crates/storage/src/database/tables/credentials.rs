//! Passwords, and how often they were missed in a row.

use async_trait::async_trait;
use countersign_domain::model::{PasswordCredential, PasswordHash, Timestamp, UserId};
use countersign_domain::ports::{CredentialChanges, Credentials, StoreError};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait as _, OnConflict, Query};
use sea_orm::{IntoActiveModel as _, QueryResult, QuerySelect as _, TryGetable};

use super::attempts_of_nobody;
use super::rows::{self, ALONE, bytes, corrupt, parsed};
use crate::database::damaged_rows::DamagedRows;
use crate::database::error::store_error;
use crate::database::handle::Database;
use crate::database::unit_of_work::SqlUnitOfWork;

/// A row.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "credentials")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Vec<u8>,
    pub hash: String,
    pub failures: i64,
    pub updated_at: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model").finish_non_exhaustive()
    }
}

impl From<&PasswordCredential> for Model {
    fn from(credential: &PasswordCredential) -> Self {
        Self {
            user_id: stored(credential.user_id),
            hash: credential.hash.expose().into(),
            failures: credential.failures.into(),
            updated_at: credential.updated_at.as_millis(),
        }
    }
}

/// Reads a password from the columns that begin with `prefix`, where a left
/// join may have left them empty.
pub(super) fn read_optional(
    row: &QueryResult,
    prefix: &str,
    damaged: &DamagedRows,
) -> Result<Option<PasswordCredential>, StoreError> {
    let user_id: Result<Option<Vec<u8>>, _> = row.try_get(prefix, Column::UserId.as_str());
    if matches!(user_id, Ok(None)) {
        return Ok(None);
    }
    let credential = read(row, prefix)?;
    if let Err(cause) = read_failures(row, prefix) {
        let key = credential.user_id.to_string();
        let locked = "a row cannot be read: the password is locked until it is reset";
        damaged.report("credentials", &key, &cause.to_string(), locked);
    }
    Ok(Some(credential))
}

/// Reads a password. Failures that cannot be read are too many.
fn read(row: &QueryResult, prefix: &str) -> Result<PasswordCredential, StoreError> {
    let user_id = column(row, prefix, Column::UserId)?;
    Ok(PasswordCredential {
        user_id: UserId::from_bytes(bytes(Column::UserId, user_id)?),
        hash: PasswordHash::new(column(row, prefix, Column::Hash)?),
        failures: read_failures(row, prefix).unwrap_or(u32::MAX),
        updated_at: Timestamp::from_millis(column(row, prefix, Column::UpdatedAt)?),
    })
}

fn read_failures(row: &QueryResult, prefix: &str) -> Result<u32, StoreError> {
    let failures: i64 = column(row, prefix, Column::Failures)?;
    parsed(Column::Failures, failures.try_into().ok())
}

fn column<T: TryGetable>(row: &QueryResult, prefix: &str, column: Column) -> Result<T, StoreError> {
    let value = row.try_get(prefix, column.as_str());
    value.map_err(|_| corrupt(column))
}

#[async_trait]
impl Credentials for Database {
    /// One conditional statement: of many at once, `cap` succeed. A negative
    /// number is damage, and lets nobody try.
    async fn count_attempt(&self, user: UserId, cap: u32) -> Result<bool, StoreError> {
        let updated = Entity::update_many()
            .col_expr(Column::Failures, Expr::col(Column::Failures).add(1_i64))
            .filter(Column::UserId.eq(stored(user)))
            .filter(Column::Failures.gte(0_i64))
            .filter(Column::Failures.lt(i64::from(cap)))
            .exec(&self.writer().statement("credentials.count_attempt"))
            .await
            .map_err(store_error)?;
        Ok(updated.rows_affected == 1)
    }

    async fn count_attempt_of_nobody(&self, row: u8) -> Result<(), StoreError> {
        attempts_of_nobody::count(&self.writer(), row).await
    }
}

#[async_trait]
impl CredentialChanges for SqlUnitOfWork {
    async fn lock_credential(
        &mut self,
        user: UserId,
    ) -> Result<Option<PasswordCredential>, StoreError> {
        let select = Entity::find_by_id(stored(user)).lock_exclusive();
        let row = rows::first(select, &self.db().statement("credentials.lock")).await?;
        row.map(|row| read(&row, ALONE)).transpose()
    }

    /// The user's row is written first, as by all who write both.
    async fn put_credential(&mut self, credential: &PasswordCredential) -> Result<(), StoreError> {
        self.raise_credential_version(credential.user_id).await?;
        let in_place_of_the_earlier = OnConflict::column(Column::UserId)
            .update_columns([Column::Hash, Column::Failures, Column::UpdatedAt])
            .to_owned();
        Entity::insert(Model::from(credential).into_active_model())
            .on_conflict(in_place_of_the_earlier)
            .exec_without_returning(&self.db().statement("credentials.put"))
            .await
            .map(drop)
            .map_err(store_error)
    }

    async fn raise_credential_version(&mut self, user: UserId) -> Result<(), StoreError> {
        // By name, because the file of that table reads this one.
        let raise = Query::update()
            .table("users")
            .value(
                "credential_version",
                Expr::col("credential_version").add(1_i64),
            )
            .and_where(Expr::col("id").eq(stored(user)))
            .take();
        let db = self.db();
        let raised = db.statement("users.raise_credential_version");
        let raised = raised.execute(&raise).await.map_err(store_error)?;
        match raised.rows_affected() {
            0 => Err(StoreError::Conflict),
            _ => Ok(()),
        }
    }

    async fn delete_credential(&mut self, user: UserId) -> Result<(), StoreError> {
        Entity::delete_by_id(stored(user))
            .exec(&self.db().statement("credentials.delete"))
            .await
            .map(drop)
            .map_err(store_error)
    }

    async fn clear_failures(
        &mut self,
        user: UserId,
        rehashed: Option<&PasswordHash>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut update = Entity::update_many()
            .col_expr(Column::Failures, Expr::value(0_i64))
            .filter(Column::UserId.eq(stored(user)));
        if let Some(hash) = rehashed {
            update = update
                .col_expr(Column::Hash, Expr::value(hash.expose()))
                .col_expr(Column::UpdatedAt, Expr::value(now.as_millis()));
        }
        update
            .exec(&self.db().statement("credentials.clear_failures"))
            .await
            .map(drop)
            .map_err(store_error)
    }
}

/// An id as it is stored.
fn stored(id: UserId) -> Vec<u8> {
    id.as_bytes().to_vec()
}
