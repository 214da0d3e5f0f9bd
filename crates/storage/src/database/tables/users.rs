//! People's accounts, alone and with their passwords.

use async_trait::async_trait;
use countersign_domain::model::{Address, GroupId, Identifier, Timestamp, User, UserId, UserState};
use countersign_domain::ports::{Account, StoreError, UserChanges, Users};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Query;
use sea_orm::{IntoActiveModel as _, JoinType, QueryResult, QuerySelect as _};

use super::rows::{self, ALONE, FIRST, SECOND, bytes, parsed};
use super::{credentials, identifiers};
use crate::database::connection::Db;
use crate::database::error::store_error;
use crate::database::handle::Database;
use crate::database::unit_of_work::SqlUnitOfWork;

/// A row. `credential_version` counts how often what was proved before was made
/// worth nothing.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Vec<u8>,
    pub group_id: String,
    pub state: String,
    pub credential_version: i64,
    pub created_at: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {
    #[sea_orm(
        belongs_to = "super::credentials::Entity",
        from = "Column::Id",
        to = "super::credentials::Column::UserId"
    )]
    Credential,
    #[sea_orm(
        belongs_to = "super::identifiers::Entity",
        from = "Column::Id",
        to = "super::identifiers::Column::UserId"
    )]
    Identifiers,
}

impl ActiveModelBehavior for ActiveModel {}

impl From<&User> for Model {
    fn from(user: &User) -> Self {
        Self {
            id: user.id.as_bytes().to_vec(),
            group_id: user.group.as_str().into(),
            state: user.state.as_str().into(),
            credential_version: user.credential_version,
            created_at: user.created_at.as_millis(),
        }
    }
}

impl TryFrom<Model> for User {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: UserId::from_bytes(bytes(Column::Id, row.id)?),
            group: parsed(Column::GroupId, GroupId::parse(&row.group_id).ok())?,
            state: parsed(Column::State, UserState::from_stored(&row.state))?,
            credential_version: row.credential_version,
            created_at: Timestamp::from_millis(row.created_at),
        })
    }
}

#[async_trait]
impl Users for Database {
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        find(by_id(id), &self.reader(), "users.by_id").await
    }

    async fn account(&self, id: UserId) -> Result<Option<Account>, StoreError> {
        find_account(self, by_id(id), "users.account").await
    }

    async fn account_by_identifier(
        &self,
        group: &GroupId,
        identifier: &Identifier,
    ) -> Result<Option<Account>, StoreError> {
        let select = Entity::find()
            .join(JoinType::InnerJoin, Relation::Identifiers.def())
            .filter(identifiers::is(group, identifier));
        find_account(self, select, "users.account_by_identifier").await
    }

    async fn addresses(&self, id: UserId) -> Result<Vec<Address>, StoreError> {
        identifiers::addresses(&self.reader(), id).await
    }
}

#[async_trait]
impl UserChanges for SqlUnitOfWork {
    async fn lock_user(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        find(by_id(id).lock_exclusive(), &self.db(), "users.lock").await
    }

    /// The user is found by a subquery, not by a join: a join would lock the
    /// identifier's row too.
    async fn lock_user_by_identifier(
        &mut self,
        group: &GroupId,
        identifier: &Identifier,
    ) -> Result<Option<User>, StoreError> {
        let holder = Query::select()
            .column(identifiers::Column::UserId)
            .from(identifiers::Entity)
            .cond_where(identifiers::is(group, identifier))
            .take();
        let select = Entity::find()
            .filter(Column::Id.in_subquery(holder))
            .lock_exclusive();
        find(select, &self.db(), "users.lock_by_identifier").await
    }

    async fn insert_user(&mut self, user: &User) -> Result<(), StoreError> {
        Entity::insert(Model::from(user).into_active_model())
            .exec_without_returning(&self.db().statement("users.insert"))
            .await
            .map(drop)
            .map_err(store_error)
    }

    /// What points at the user goes with it.
    async fn delete_user(&mut self, id: UserId) -> Result<(), StoreError> {
        Entity::delete_by_id(stored(id))
            .exec(&self.db().statement("users.delete"))
            .await
            .map(drop)
            .map_err(store_error)
    }

    async fn insert_identifier(
        &mut self,
        user: &User,
        identifier: &Identifier,
    ) -> Result<(), StoreError> {
        identifiers::insert(&self.db(), user, identifier).await
    }

    async fn addresses_of(&mut self, id: UserId) -> Result<Vec<Address>, StoreError> {
        identifiers::addresses(&self.db(), id).await
    }

    async fn delete_identifier(
        &mut self,
        user: &User,
        identifier: &Identifier,
    ) -> Result<bool, StoreError> {
        identifiers::delete(&self.db(), user, identifier).await
    }
}

fn by_id(id: UserId) -> Select<Entity> {
    Entity::find_by_id(stored(id))
}

async fn find(
    select: Select<Entity>,
    db: &Db<'_>,
    name: &'static str,
) -> Result<Option<User>, StoreError> {
    let row = rows::first(select, &db.statement(name)).await?;
    row.map(|row| read(&row, ALONE)).transpose()
}

async fn find_account(
    database: &Database,
    select: Select<Entity>,
    name: &'static str,
) -> Result<Option<Account>, StoreError> {
    let select = select
        .select_also(credentials::Entity)
        .join(JoinType::LeftJoin, Relation::Credential.def());
    let row = rows::first(select, &database.reader().statement(name)).await?;
    row.map(|row| {
        Ok(Account {
            user: read(&row, FIRST)?,
            credential: credentials::read_optional(&row, SECOND, &database.damaged)?,
        })
    })
    .transpose()
}

/// Reads a user from the columns that begin with `prefix`.
pub(super) fn read(row: &QueryResult, prefix: &str) -> Result<User, StoreError> {
    rows::model::<Entity>(row, prefix)?.try_into()
}

/// An id as it is stored.
pub(super) fn stored(id: UserId) -> Vec<u8> {
    id.as_bytes().to_vec()
}
