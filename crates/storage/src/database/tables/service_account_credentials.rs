//! The secrets and keys of service accounts: of a secret its hash, of a key the public
//! half. One that cannot be read is unreadable in its place, so that it can be removed
//! and what was got with it be revoked.

use countersign_domain::model::{
    KeyHash, ServiceAccountCredential, ServiceAccountCredentialId, ServiceAccountCredentialKind,
    ServiceAccountId, SessionId, Timestamp,
};
use countersign_domain::ports::StoreError;
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QueryResult};

use super::rows::{self, ALONE, bytes, corrupt, instant, key_of_id, parsed, stored_id, time};
use crate::database::connection::Db;
use crate::database::error::store_error;

pub(super) const TABLE: &str = "service_account_credentials";

/// A row.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "service_account_credentials")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Vec<u8>,
    pub service_account_id: Vec<u8>,
    pub secret_hash: Option<Vec<u8>>,
    pub public_key: Option<String>,
    pub sid: Vec<u8>,
    pub created_at: i64,
    pub expires_at: Option<i64>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model").finish_non_exhaustive()
    }
}

/// A row that cannot be read, why, and what follows.
pub(super) struct Reported<'a> {
    pub(super) key: &'a str,
    pub(super) cause: &'a str,
    pub(super) then: &'a str,
}

/// The credentials of accounts, oldest first.
pub(super) async fn of_accounts(
    db: &Db<'_>,
    accounts: &[ServiceAccountId],
    report: &(impl Fn(&Reported<'_>) + Sync),
) -> Result<Vec<(ServiceAccountId, ServiceAccountCredential)>, StoreError> {
    if accounts.is_empty() {
        return Ok(Vec::new());
    }
    let ids = accounts.iter().map(|id| id.as_bytes().to_vec());
    let select = Entity::find()
        .filter(Column::ServiceAccountId.is_in(ids))
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::Id);
    let statement = db.statement("service_account_credentials.of_accounts");
    let rows = rows::all(select, &statement).await?;
    Ok(rows.iter().filter_map(|row| read(row, report)).collect())
}

/// A credential and its account; none, if not even its ids can be read.
fn read(
    row: &QueryResult,
    report: &impl Fn(&Reported<'_>),
) -> Option<(ServiceAccountId, ServiceAccountCredential)> {
    let tell = |cause: &StoreError, then: &str| {
        let key = key_of_id(row, Column::Id);
        report(&Reported {
            key: key.as_deref().unwrap_or("(its key cannot be read)"),
            cause: &cause.to_string(),
            then,
        });
    };
    let (account, unreadable) = match ids(row) {
        Ok(read) => read,
        Err(cause) => {
            tell(&cause, "a row cannot be read and is left out");
            return None;
        }
    };
    let credential = match whole(row) {
        Ok((kind, created_at, expires_at)) => ServiceAccountCredential {
            kind,
            created_at,
            expires_at,
            ..unreadable
        },
        Err(cause) => {
            let then = "a row cannot be read: the credential is of no use until it is removed";
            tell(&cause, then);
            unreadable
        }
    };
    Some((account, credential))
}

/// By what a credential is known, whatever else of it can be read.
fn ids(row: &QueryResult) -> Result<(ServiceAccountId, ServiceAccountCredential), StoreError> {
    let id = |column: Column| bytes(column, stored_id(row, column)?);
    let created_at = row.try_get("", Column::CreatedAt.as_str());
    let created_at = created_at.map_err(|_| corrupt(Column::CreatedAt));
    let created_at = created_at.and_then(|millis| instant(Column::CreatedAt, millis));
    let credential = ServiceAccountCredential {
        id: ServiceAccountCredentialId::from_bytes(id(Column::Id)?),
        kind: ServiceAccountCredentialKind::Unreadable,
        sid: SessionId::from_bytes(id(Column::Sid)?),
        created_at: created_at.unwrap_or(Timestamp::from_millis(0)),
        expires_at: None,
    };
    let account = ServiceAccountId::from_bytes(id(Column::ServiceAccountId)?);
    Ok((account, credential))
}

type Whole = (ServiceAccountCredentialKind, Timestamp, Option<Timestamp>);

fn whole(row: &QueryResult) -> Result<Whole, StoreError> {
    let row: Model = rows::model::<Entity>(row, ALONE)?;
    let kind = match (row.secret_hash, row.public_key) {
        (Some(hash), None) => {
            let hash = KeyHash::from_bytes(bytes(Column::SecretHash, hash)?);
            ServiceAccountCredentialKind::Secret(hash)
        }
        (None, Some(key)) => {
            let key = ServiceAccountCredentialKind::key_from_stored(&key);
            parsed(Column::PublicKey, key)?
        }
        (None, None) | (Some(_), Some(_)) => return Err(corrupt(Column::SecretHash)),
    };
    let created_at = instant(Column::CreatedAt, row.created_at)?;
    if let Some(expires_at) = row.expires_at {
        instant(Column::ExpiresAt, expires_at)?;
    }
    Ok((kind, created_at, time(row.expires_at)))
}

pub(super) async fn insert(
    db: &Db<'_>,
    account: ServiceAccountId,
    credential: &ServiceAccountCredential,
) -> Result<(), StoreError> {
    let (secret_hash, public_key) = match &credential.kind {
        ServiceAccountCredentialKind::Secret(hash) => (Some(hash.as_bytes().to_vec()), None),
        ServiceAccountCredentialKind::Key(key) => (None, Some(key.to_string())),
        ServiceAccountCredentialKind::Unreadable => return Err(corrupt(Column::SecretHash)),
    };
    let row = Model {
        id: credential.id.as_bytes().to_vec(),
        service_account_id: account.as_bytes().to_vec(),
        secret_hash,
        public_key,
        sid: credential.sid.as_bytes().to_vec(),
        created_at: credential.created_at.as_millis(),
        expires_at: credential.expires_at.map(Timestamp::as_millis),
    };
    Entity::insert(row.into_active_model())
        .exec_without_returning(&db.statement("service_account_credentials.insert"))
        .await
        .map(drop)
        .map_err(store_error)
}

/// Tells whether it was there.
pub(super) async fn renew_sid(
    db: &Db<'_>,
    account: ServiceAccountId,
    id: ServiceAccountCredentialId,
    sid: SessionId,
) -> Result<bool, StoreError> {
    let updated = Entity::update_many()
        .col_expr(Column::Sid, Expr::value(sid.as_bytes().to_vec()))
        .filter(Column::Id.eq(id.as_bytes().to_vec()))
        .filter(Column::ServiceAccountId.eq(account.as_bytes().to_vec()))
        .exec(&db.statement("service_account_credentials.renew_sid"))
        .await
        .map_err(store_error)?;
    Ok(updated.rows_affected == 1)
}

/// Tells whether it was there.
pub(super) async fn delete(
    db: &Db<'_>,
    account: ServiceAccountId,
    id: ServiceAccountCredentialId,
) -> Result<bool, StoreError> {
    let deleted = Entity::delete_many()
        .filter(Column::Id.eq(id.as_bytes().to_vec()))
        .filter(Column::ServiceAccountId.eq(account.as_bytes().to_vec()))
        .exec(&db.statement("service_account_credentials.delete"))
        .await
        .map_err(store_error)?;
    Ok(deleted.rows_affected == 1)
}
