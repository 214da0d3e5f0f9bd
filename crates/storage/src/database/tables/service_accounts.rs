//! The service accounts. What their tokens may say is JSON: a release passes over what
//! it does not know.

use std::collections::HashMap;

use async_trait::async_trait;
use countersign_domain::model::{
    GroupId, PageSize, ServiceAccount, ServiceAccountCredential, ServiceAccountCredentialId,
    ServiceAccountGrants, ServiceAccountId, SessionId,
};
use countersign_domain::ports::{
    ServiceAccountChanges, ServiceAccountPage, ServiceAccounts, StoreError,
};
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QueryResult, QuerySelect as _};

use super::rows::{self, ALONE, bytes, instant, key_of_id, parsed, stored_id};
use super::service_account_credentials::{self as credentials, Reported};
use crate::database::damaged_rows;
use crate::database::error::store_error;
use crate::database::handle::Database;
use crate::database::unit_of_work::SqlUnitOfWork;

const ACTIVE: &str = "active";
const DISABLED: &str = "disabled";

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "service_accounts")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Vec<u8>,
    pub group_id: String,
    pub display_name: String,
    pub description: String,
    pub state: String,
    pub grants: String,
    pub revision: i64,
    pub created_at: i64,
    pub updated_at: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&ServiceAccount> for Model {
    fn from(account: &ServiceAccount) -> Self {
        Self {
            id: account.id.as_bytes().to_vec(),
            group_id: account.group.as_str().into(),
            display_name: account.display_name.clone(),
            description: account.description.clone(),
            state: state(account).into(),
            grants: account.grants.to_stored(),
            revision: account.revision,
            created_at: account.created_at.as_millis(),
            updated_at: account.updated_at.as_millis(),
        }
    }
}

/// An account without its credentials.
impl TryFrom<Model> for ServiceAccount {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        let group = Some(row.group_id.as_str()).filter(|id| !id.is_empty());
        let group = group.and_then(|id| GroupId::parse(id).ok());
        let is_disabled = match row.state.as_str() {
            ACTIVE => Some(false),
            DISABLED => Some(true),
            _ => None,
        };
        let grants = ServiceAccountGrants::from_stored(&row.grants);
        Ok(Self {
            id: ServiceAccountId::from_bytes(bytes(Column::Id, row.id)?),
            group: parsed(Column::GroupId, group)?,
            display_name: row.display_name,
            description: row.description,
            is_disabled: parsed(Column::State, is_disabled)?,
            grants: parsed(Column::Grants, grants)?,
            credentials: Vec::new(),
            revision: row.revision,
            created_at: instant(Column::CreatedAt, row.created_at)?,
            updated_at: instant(Column::UpdatedAt, row.updated_at)?,
        })
    }
}

fn state(account: &ServiceAccount) -> &'static str {
    match account.is_disabled {
        true => DISABLED,
        false => ACTIVE,
    }
}

fn read(row: &QueryResult) -> Result<ServiceAccount, StoreError> {
    rows::model::<Entity>(row, ALONE)?.try_into()
}

impl Database {
    fn report_credential(&self, reported: &Reported<'_>) {
        let Reported { key, cause, then } = reported;
        self.damaged.report(credentials::TABLE, key, cause, then);
    }
}

#[async_trait]
impl ServiceAccounts for Database {
    async fn service_account(
        &self,
        id: ServiceAccountId,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        let db = self.reader();
        let select = Entity::find_by_id(id.as_bytes().to_vec());
        let row = rows::first(select, &db.statement("service_accounts.by_id")).await?;
        let Some(account) = row.map(|row| read(&row)).transpose()? else {
            return Ok(None);
        };
        let report = |reported: &Reported<'_>| self.report_credential(reported);
        let read = credentials::of_accounts(&db, &[id], &report).await?;
        let own = read.into_iter().map(|(_, credential)| credential);
        Ok(Some(ServiceAccount {
            credentials: own.collect(),
            ..account
        }))
    }

    async fn service_accounts_after(
        &self,
        group: Option<&GroupId>,
        after: Option<ServiceAccountId>,
        size: PageSize,
    ) -> Result<ServiceAccountPage, StoreError> {
        let db = self.reader();
        let size = size.get() as usize;
        let mut select = Entity::find()
            .order_by_asc(Column::Id)
            .limit(size as u64 + 1);
        if let Some(group) = group {
            select = select.filter(Column::GroupId.eq(group.as_str()));
        }
        if let Some(after) = after {
            select = select.filter(Column::Id.gt(after.as_bytes().to_vec()));
        }
        let mut rows = rows::all(select, &db.statement("service_accounts.page")).await?;
        let has_more = rows.len() > size;
        rows.truncate(size);
        let next = match rows.last() {
            Some(last) if has_more => {
                let id = bytes(Column::Id, stored_id(last, Column::Id)?)?;
                Some(ServiceAccountId::from_bytes(id))
            }
            _ => None,
        };
        let key = |row: &QueryResult| key_of_id(row, Column::Id);
        let accounts = self.damaged.readable("service_accounts", &rows, key, read);
        let ids: Vec<_> = accounts.iter().map(|account| account.id).collect();
        let report = |reported: &Reported<'_>| self.report_credential(reported);
        let read = credentials::of_accounts(&db, &ids, &report).await?;
        Ok(ServiceAccountPage {
            accounts: complete(accounts, read),
            next,
        })
    }
}

/// Accounts with their credentials.
fn complete(
    mut accounts: Vec<ServiceAccount>,
    credentials: Vec<(ServiceAccountId, ServiceAccountCredential)>,
) -> Vec<ServiceAccount> {
    let mut grouped: HashMap<_, Vec<_>> = HashMap::new();
    for (account, credential) in credentials {
        grouped.entry(account).or_default().push(credential);
    }
    for account in &mut accounts {
        account.credentials = grouped.remove(&account.id).unwrap_or_default();
    }
    accounts
}

#[async_trait]
impl ServiceAccountChanges for SqlUnitOfWork {
    async fn insert_service_account(&mut self, account: &ServiceAccount) -> Result<(), StoreError> {
        Entity::insert(Model::from(account).into_active_model())
            .exec_without_returning(&self.db().statement("service_accounts.insert"))
            .await
            .map(drop)
            .map_err(store_error)
    }

    async fn lock_service_account(
        &mut self,
        id: ServiceAccountId,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        let db = self.db();
        let select = Entity::find_by_id(id.as_bytes().to_vec()).lock_exclusive();
        let row = rows::first(select, &db.statement("service_accounts.lock")).await?;
        let Some(account) = row.map(|row| read(&row)).transpose()? else {
            return Ok(None);
        };
        let report = |reported: &Reported<'_>| {
            let Reported { key, cause, then } = reported;
            damaged_rows::name(credentials::TABLE, key, cause, then);
        };
        let read = credentials::of_accounts(&db, &[id], &report).await?;
        Ok(complete(vec![account], read).pop())
    }

    async fn update_service_account(&mut self, account: &ServiceAccount) -> Result<(), StoreError> {
        let row = Model::from(account);
        let updated = Entity::update_many()
            .col_expr(Column::DisplayName, Expr::value(row.display_name))
            .col_expr(Column::Description, Expr::value(row.description))
            .col_expr(Column::State, Expr::value(row.state))
            .col_expr(Column::Grants, Expr::value(row.grants))
            .col_expr(Column::Revision, Expr::value(row.revision))
            .col_expr(Column::UpdatedAt, Expr::value(row.updated_at))
            .filter(Column::Id.eq(row.id))
            .exec(&self.db().statement("service_accounts.update"))
            .await
            .map_err(store_error)?;
        match updated.rows_affected {
            0 => Err(StoreError::Conflict),
            _ => Ok(()),
        }
    }

    /// Its credentials go with it.
    async fn delete_service_account(&mut self, id: ServiceAccountId) -> Result<bool, StoreError> {
        let deleted = Entity::delete_by_id(id.as_bytes().to_vec())
            .exec(&self.db().statement("service_accounts.delete"))
            .await
            .map_err(store_error)?;
        Ok(deleted.rows_affected == 1)
    }

    async fn has_service_accounts(&mut self, group: &GroupId) -> Result<bool, StoreError> {
        let select = Entity::find()
            .filter(Column::GroupId.eq(group.as_str()))
            .limit(1);
        let row = rows::first(select, &self.db().statement("service_accounts.has")).await?;
        Ok(row.is_some())
    }

    async fn insert_service_account_credential(
        &mut self,
        account: ServiceAccountId,
        credential: &ServiceAccountCredential,
    ) -> Result<(), StoreError> {
        credentials::insert(&self.db(), account, credential).await
    }

    async fn renew_service_account_sid(
        &mut self,
        account: ServiceAccountId,
        credential: ServiceAccountCredentialId,
        sid: SessionId,
    ) -> Result<bool, StoreError> {
        credentials::renew_sid(&self.db(), account, credential, sid).await
    }

    async fn delete_service_account_credential(
        &mut self,
        account: ServiceAccountId,
        credential: ServiceAccountCredentialId,
    ) -> Result<bool, StoreError> {
        credentials::delete(&self.db(), account, credential).await
    }
}
