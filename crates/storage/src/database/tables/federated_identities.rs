//! Accounts at providers that are linked to users. A row that cannot be read is an error
//! in its place.

use async_trait::async_trait;
use countersign_domain::model::{
    FederatedIdentity, FederatedIdentityId, GroupId, ProviderId, SubjectDigest, Timestamp, UserId,
};
use countersign_domain::ports::{FederatedIdentities, FederatedIdentityChanges, StoreError};
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QueryResult, QuerySelect as _};

use super::rows::{self, ALONE, bytes, instant, key_of_id, parsed};
use crate::database::error::store_error;
use crate::database::handle::Database;
use crate::database::unit_of_work::SqlUnitOfWork;

/// A row.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "federated_identities")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Vec<u8>,
    pub user_id: Vec<u8>,
    pub group_id: String,
    pub subject: Vec<u8>,
    pub provider: String,
    pub sealed: Vec<u8>,
    pub linked_at: i64,
    pub last_used_at: Option<i64>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model").finish_non_exhaustive()
    }
}

impl From<&FederatedIdentity> for Model {
    fn from(identity: &FederatedIdentity) -> Self {
        Self {
            id: identity.id.as_bytes().to_vec(),
            user_id: identity.user_id.as_bytes().to_vec(),
            group_id: identity.group.as_str().into(),
            subject: identity.subject.as_bytes().to_vec(),
            provider: identity.provider.as_str().into(),
            sealed: identity.sealed.clone(),
            linked_at: identity.linked_at.as_millis(),
            last_used_at: identity.last_used_at.map(Timestamp::as_millis),
        }
    }
}

fn read(row: &QueryResult) -> Result<FederatedIdentity, StoreError> {
    let row = rows::model::<Entity>(row, ALONE)?;
    let last_used_at = row.last_used_at.map(|at| instant(Column::LastUsedAt, at));
    Ok(FederatedIdentity {
        id: FederatedIdentityId::from_bytes(bytes(Column::Id, row.id)?),
        user_id: UserId::from_bytes(bytes(Column::UserId, row.user_id)?),
        group: parsed(Column::GroupId, GroupId::parse(&row.group_id).ok())?,
        subject: SubjectDigest::from_bytes(bytes(Column::Subject, row.subject)?),
        provider: parsed(Column::Provider, ProviderId::parse(&row.provider).ok())?,
        sealed: row.sealed,
        linked_at: instant(Column::LinkedAt, row.linked_at)?,
        last_used_at: last_used_at.transpose()?,
    })
}

fn of_user(user: UserId) -> Select<Entity> {
    Entity::find()
        .filter(Column::UserId.eq(user.as_bytes().to_vec()))
        .order_by_asc(Column::LinkedAt)
        .order_by_asc(Column::Id)
}

impl Database {
    /// Reads a linked account. One that cannot be read is named in the log.
    fn read_federated_identity(&self, row: &QueryResult) -> Result<FederatedIdentity, StoreError> {
        read(row).inspect_err(|cause| {
            let key = key_of_id(row, Column::Id);
            let key = key.unwrap_or_else(|| "(its key cannot be read)".into());
            let consequence = "a row cannot be read: nobody signs in with the account, nor links \
                               it again, until the row is deleted";
            self.damaged.report(
                "federated_identities",
                &key,
                &cause.to_string(),
                consequence,
            );
        })
    }
}

#[async_trait]
impl FederatedIdentities for Database {
    async fn federated_identities(
        &self,
        user: UserId,
    ) -> Result<Vec<Result<FederatedIdentity, StoreError>>, StoreError> {
        let statement = self.reader().statement("federated_identities.of_user");
        let rows = rows::all(of_user(user), &statement).await?;
        Ok(rows
            .iter()
            .map(|row| self.read_federated_identity(row))
            .collect())
    }

    async fn federated_identity(
        &self,
        group: &GroupId,
        subject: &SubjectDigest,
    ) -> Result<Option<FederatedIdentity>, StoreError> {
        let select = Entity::find()
            .filter(Column::Subject.eq(subject.as_bytes().to_vec()))
            .filter(Column::GroupId.eq(group.as_str()));
        let statement = self.reader().statement("federated_identities.in_group");
        let row = rows::first(select, &statement).await?;
        row.map(|row| self.read_federated_identity(&row))
            .transpose()
    }

    async fn federated_identities_of(
        &self,
        subject: &SubjectDigest,
    ) -> Result<Vec<Result<FederatedIdentity, StoreError>>, StoreError> {
        let select = Entity::find().filter(Column::Subject.eq(subject.as_bytes().to_vec()));
        let statement = self.reader().statement("federated_identities.of_subject");
        let rows = rows::all(select, &statement).await?;
        Ok(rows
            .iter()
            .map(|row| self.read_federated_identity(row))
            .collect())
    }
}

#[async_trait]
impl FederatedIdentityChanges for SqlUnitOfWork {
    async fn insert_federated_identity(
        &mut self,
        identity: &FederatedIdentity,
    ) -> Result<(), StoreError> {
        Entity::insert(Model::from(identity).into_active_model())
            .exec_without_returning(&self.db().statement("federated_identities.insert"))
            .await
            .map(drop)
            .map_err(store_error)
    }

    async fn use_federated_identity(
        &mut self,
        user: UserId,
        id: FederatedIdentityId,
        at: Timestamp,
        sealed: &[u8],
    ) -> Result<bool, StoreError> {
        let updated = Entity::update_many()
            .col_expr(Column::LastUsedAt, Expr::value(at.as_millis()))
            .col_expr(Column::Sealed, Expr::value(sealed.to_vec()))
            .filter(Column::Id.eq(id.as_bytes().to_vec()))
            .filter(Column::UserId.eq(user.as_bytes().to_vec()))
            .exec(&self.db().statement("federated_identities.use"))
            .await
            .map_err(store_error)?;
        Ok(updated.rows_affected == 1)
    }

    async fn delete_federated_identity(
        &mut self,
        user: UserId,
        id: FederatedIdentityId,
    ) -> Result<bool, StoreError> {
        let deleted = Entity::delete_many()
            .filter(Column::Id.eq(id.as_bytes().to_vec()))
            .filter(Column::UserId.eq(user.as_bytes().to_vec()))
            .exec(&self.db().statement("federated_identities.delete"))
            .await
            .map_err(store_error)?;
        Ok(deleted.rows_affected == 1)
    }

    async fn delete_federated_identities(&mut self, user: UserId) -> Result<(), StoreError> {
        Entity::delete_many()
            .filter(Column::UserId.eq(user.as_bytes().to_vec()))
            .exec(&self.db().statement("federated_identities.delete_of_user"))
            .await
            .map(drop)
            .map_err(store_error)
    }

    async fn delete_federated_identities_since(
        &mut self,
        user: UserId,
        since: Timestamp,
    ) -> Result<(), StoreError> {
        Entity::delete_many()
            .filter(Column::UserId.eq(user.as_bytes().to_vec()))
            .filter(Column::LinkedAt.gte(since.as_millis()))
            .exec(&self.db().statement("federated_identities.delete_since"))
            .await
            .map(drop)
            .map_err(store_error)
    }

    async fn federated_identities_of_user(
        &mut self,
        user: UserId,
    ) -> Result<Vec<Result<FederatedIdentity, StoreError>>, StoreError> {
        let statement = self.db().statement("federated_identities.of_user_changed");
        let rows = rows::all(of_user(user), &statement).await?;
        Ok(rows.iter().map(read).collect())
    }

    async fn count_federated_identities(&mut self, user: UserId) -> Result<u32, StoreError> {
        let select = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::UserId.eq(user.as_bytes().to_vec()));
        let statement = self.db().statement("federated_identities.ids_of_user");
        let ids = rows::all(select, &statement).await?;
        Ok(u32::try_from(ids.len()).unwrap_or(u32::MAX))
    }
}
