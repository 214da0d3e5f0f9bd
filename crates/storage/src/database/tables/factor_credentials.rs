//! The credentials by which passkeys are found, each of one factor.

use countersign_domain::model::{CredentialDigest, FactorId};
use countersign_domain::ports::StoreError;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::SelectStatement;
use sea_orm::{IntoActiveModel as _, QuerySelect as _, QueryTrait as _};

use crate::database::connection::Db;
use crate::database::error::store_error;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "factor_credentials")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub credential: Vec<u8>,
    pub factor_id: Vec<u8>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The id of the factor with a credential.
pub(super) fn factor_of(credential: &CredentialDigest) -> SelectStatement {
    Entity::find()
        .select_only()
        .column(Column::FactorId)
        .filter(Column::Credential.eq(credential.to_vec()))
        .into_query()
}

/// Keeps by which credential a factor is found.
pub(super) async fn insert(
    db: &Db<'_>,
    factor: FactorId,
    credential: &CredentialDigest,
) -> Result<(), StoreError> {
    let row = Model {
        credential: credential.to_vec(),
        factor_id: factor.as_bytes().to_vec(),
    };
    Entity::insert(row.into_active_model())
        .exec_without_returning(&db.statement("factor_credentials.insert"))
        .await
        .map(drop)
        .map_err(store_error)
}
