//! Who has a role: an index of the roles in the users' rows.

use countersign_domain::model::User;
use countersign_domain::ports::StoreError;
use sea_orm::IntoActiveModel as _;
use sea_orm::entity::prelude::*;

use crate::database::connection::Db;
use crate::database::error::store_error;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user_roles")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub role: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub created_at: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Vec<u8>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The rows of a user's roles.
pub(super) fn of(user: &User) -> impl Iterator<Item = Model> + '_ {
    user.roles.iter().map(|role| Model {
        role: role.as_str().into(),
        created_at: user.created_at.as_millis(),
        user_id: user.id.as_bytes().to_vec(),
    })
}

/// Enters the roles of a user who has none here.
pub(super) async fn insert(db: &Db<'_>, user: &User) -> Result<(), StoreError> {
    if user.roles.is_empty() {
        return Ok(());
    }
    Entity::insert_many(of(user).map(Model::into_active_model))
        .exec_without_returning(&db.statement("user_roles.insert"))
        .await
        .map(drop)
        .map_err(store_error)
}

/// Enters them in place of the earlier ones.
pub(super) async fn replace(db: &Db<'_>, user: &User) -> Result<(), StoreError> {
    Entity::delete_many()
        .filter(Column::UserId.eq(user.id.as_bytes().to_vec()))
        .exec(&db.statement("user_roles.delete"))
        .await
        .map_err(store_error)?;
    insert(db, user).await
}
