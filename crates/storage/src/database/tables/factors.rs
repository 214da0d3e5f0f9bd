//! Second factors. A row that cannot be read is an error in its place.

use async_trait::async_trait;
use countersign_domain::model::{
    AuthenticationId, CredentialDigest, Factor, FactorId, FactorKind, FactorLabel, Timestamp,
    UserId,
};
use countersign_domain::ports::{FactorChanges, Factors, StoreError};
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QueryResult, QuerySelect as _};

use super::rows::{self, ALONE, bytes, instant, key_of_id, parsed};
use super::{factor_credentials, recovery_codes};
use crate::database::connection::{Db, NamedStatement};
use crate::database::error::store_error;
use crate::database::handle::Database;
use crate::database::unit_of_work::SqlUnitOfWork;

/// A row.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "factors")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Vec<u8>,
    pub user_id: Vec<u8>,
    pub kind: String,
    pub label: String,
    pub sealed: Vec<u8>,
    pub last_step: i64,
    pub created_at: i64,
    pub enrolled_by: Option<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model").finish_non_exhaustive()
    }
}

impl From<&Factor> for Model {
    fn from(factor: &Factor) -> Self {
        Self {
            id: factor.id.as_bytes().to_vec(),
            user_id: factor.user_id.as_bytes().to_vec(),
            kind: factor.kind.as_str().into(),
            label: factor.label.as_str().into(),
            sealed: factor.sealed.clone(),
            last_step: factor.last_step,
            created_at: factor.created_at.as_millis(),
            enrolled_by: factor.enrolled_by.map(|by| by.as_bytes().to_vec()),
        }
    }
}

fn read(row: &QueryResult) -> Result<Factor, StoreError> {
    let row = rows::model::<Entity>(row, ALONE)?;
    let enrolled_by = row.enrolled_by.map(|by| bytes(Column::EnrolledBy, by));
    Ok(Factor {
        id: FactorId::from_bytes(bytes(Column::Id, row.id)?),
        user_id: UserId::from_bytes(bytes(Column::UserId, row.user_id)?),
        kind: parsed(Column::Kind, FactorKind::from_stored(&row.kind))?,
        label: parsed(Column::Label, FactorLabel::parse(&row.label).ok())?,
        sealed: row.sealed,
        last_step: row.last_step,
        created_at: instant(Column::CreatedAt, row.created_at)?,
        enrolled_by: enrolled_by.transpose()?.map(AuthenticationId::from_bytes),
    })
}

impl Database {
    /// Reads a factor. One that cannot be read is named in the log.
    fn read_factor(&self, row: &QueryResult) -> Result<Factor, StoreError> {
        read(row).inspect_err(|cause| {
            let key = key_of_id(row, Column::Id);
            let key = key.unwrap_or_else(|| "(its key cannot be read)".into());
            let consequence = "a row cannot be read: the factor is of no use until it is \
                               removed and enrolled again";
            self.damaged
                .report("factors", &key, &cause.to_string(), consequence);
        })
    }
}

async fn kinds(
    user: UserId,
    statement: &NamedStatement<'_>,
) -> Result<Vec<Option<FactorKind>>, StoreError> {
    let select = Entity::find()
        .select_only()
        .column(Column::Kind)
        .filter(Column::UserId.eq(user.as_bytes().to_vec()));
    let rows = rows::all(select, statement).await?;
    let kinds = rows.iter().map(|row| {
        let kind: String = row.try_get("", Column::Kind.as_str()).ok()?;
        FactorKind::from_stored(&kind)
    });
    Ok(kinds.collect())
}

#[async_trait]
impl Factors for Database {
    async fn factors(&self, user: UserId) -> Result<Vec<Result<Factor, StoreError>>, StoreError> {
        let select = Entity::find()
            .filter(Column::UserId.eq(user.as_bytes().to_vec()))
            .order_by_asc(Column::CreatedAt)
            .order_by_asc(Column::Id);
        let rows = rows::all(select, &self.reader().statement("factors.of_user")).await?;
        Ok(rows.iter().map(|row| self.read_factor(row)).collect())
    }

    async fn factor_kinds(&self, user: UserId) -> Result<Vec<Option<FactorKind>>, StoreError> {
        kinds(user, &self.reader().statement("factors.kinds_of_user")).await
    }

    async fn factor_by_credential(
        &self,
        credential: &CredentialDigest,
    ) -> Result<Option<Factor>, StoreError> {
        let id = factor_credentials::factor_of(credential);
        let select = Entity::find().filter(Column::Id.in_subquery(id));
        let row = rows::first(select, &self.reader().statement("factors.by_credential")).await?;
        row.map(|row| self.read_factor(&row)).transpose()
    }

    async fn move_factor_forward(&self, factor: FactorId, to: i64) -> Result<bool, StoreError> {
        move_forward(&self.writer(), factor, to).await
    }

    async fn recovery_codes_left(&self, user: UserId) -> Result<u32, StoreError> {
        recovery_codes::left(&self.reader(), user).await
    }
}

/// One conditional statement: of many at once, one succeeds.
async fn move_forward(db: &Db<'_>, factor: FactorId, to: i64) -> Result<bool, StoreError> {
    let updated = Entity::update_many()
        .col_expr(Column::LastStep, Expr::value(to))
        .filter(Column::Id.eq(factor.as_bytes().to_vec()))
        .filter(Column::LastStep.lt(to))
        .exec(&db.statement("factors.move_forward"))
        .await
        .map_err(store_error)?;
    Ok(updated.rows_affected == 1)
}

#[async_trait]
impl FactorChanges for SqlUnitOfWork {
    async fn insert_factor(
        &mut self,
        factor: &Factor,
        credential: Option<&CredentialDigest>,
    ) -> Result<(), StoreError> {
        Entity::insert(Model::from(factor).into_active_model())
            .exec_without_returning(&self.db().statement("factors.insert"))
            .await
            .map_err(store_error)?;
        match credential {
            Some(credential) => factor_credentials::insert(&self.db(), factor.id, credential).await,
            None => Ok(()),
        }
    }

    async fn delete_factor(&mut self, user: UserId, id: FactorId) -> Result<bool, StoreError> {
        let deleted = Entity::delete_many()
            .filter(Column::Id.eq(id.as_bytes().to_vec()))
            .filter(Column::UserId.eq(user.as_bytes().to_vec()))
            .exec(&self.db().statement("factors.delete"))
            .await
            .map_err(store_error)?;
        Ok(deleted.rows_affected == 1)
    }

    async fn delete_factor_by_credential(
        &mut self,
        user: UserId,
        credential: &CredentialDigest,
    ) -> Result<bool, StoreError> {
        let deleted = Entity::delete_many()
            .filter(Column::Id.in_subquery(factor_credentials::factor_of(credential)))
            .filter(Column::UserId.eq(user.as_bytes().to_vec()))
            .exec(&self.db().statement("factors.delete_by_credential"))
            .await
            .map_err(store_error)?;
        Ok(deleted.rows_affected == 1)
    }

    async fn delete_factors_since(
        &mut self,
        user: UserId,
        since: Timestamp,
    ) -> Result<(), StoreError> {
        Entity::delete_many()
            .filter(Column::UserId.eq(user.as_bytes().to_vec()))
            .filter(Column::CreatedAt.gte(since.as_millis()))
            .exec(&self.db().statement("factors.delete_since"))
            .await
            .map(drop)
            .map_err(store_error)
    }

    async fn move_factor_forward(&mut self, factor: FactorId, to: i64) -> Result<bool, StoreError> {
        move_forward(&self.db(), factor, to).await
    }

    async fn take_recovery_code(
        &mut self,
        user: UserId,
        digest: &[u8; 32],
    ) -> Result<bool, StoreError> {
        recovery_codes::take(&self.db(), user, digest).await
    }

    async fn factor_kinds_of_user(
        &mut self,
        user: UserId,
    ) -> Result<Vec<Option<FactorKind>>, StoreError> {
        kinds(user, &self.db().statement("factors.kinds_of_user_changed")).await
    }

    async fn count_factors(&mut self, user: UserId) -> Result<u32, StoreError> {
        let select = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::UserId.eq(user.as_bytes().to_vec()));
        let ids = rows::all(select, &self.db().statement("factors.ids_of_user")).await?;
        Ok(u32::try_from(ids.len()).unwrap_or(u32::MAX))
    }

    async fn put_recovery_codes(
        &mut self,
        user: UserId,
        digests: &[[u8; 32]],
    ) -> Result<(), StoreError> {
        recovery_codes::put(&self.db(), user, digests).await
    }
}
