//! People's accounts, alone and with their passwords.

use async_trait::async_trait;
use countersign_domain::model::{
    Address, Attributes, ExternalId, GroupId, Identifier, LanguageTag, PageSize, PersonName,
    Profile, Scope, TimeZone, Timestamp, User, UserCursor, UserId, UserQuery, UserRole,
};
use countersign_domain::ports::{
    Account, DueUsers, ListedUser, StoreError, UserChanges, UserPage, Users,
};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Query;
use sea_orm::{ActiveValue, IntoActiveModel as _, JoinType, QueryResult, QuerySelect as _};

use super::rows::{self, ALONE, FIRST, SECOND, bytes, instant, joined, parsed, words};
use super::user_states::StoredState;
use super::{credentials, identifiers, user_roles};
use crate::database::connection::Db;
use crate::database::error::store_error;
use crate::database::handle::Database;
use crate::database::unit_of_work::SqlUnitOfWork;

/// A row. `credential_version` counts how often what was proved before was made
/// worth nothing. What may be absent is so in rows of the release before.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Vec<u8>,
    pub group_id: String,
    pub state: String,
    pub credential_version: i64,
    pub created_at: i64,
    pub blocked: Option<String>,
    pub blocked_at: Option<i64>,
    pub blocked_until: Option<i64>,
    pub blocked_reason: Option<String>,
    pub external_id: Option<String>,
    pub name: Option<String>,
    pub locale: Option<String>,
    pub time_zone: Option<String>,
    pub attributes: Option<String>,
    pub roles: Option<String>,
    pub scopes: Option<String>,
    pub revision: Option<i64>,
    pub updated_at: Option<i64>,
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
    #[sea_orm(
        belongs_to = "super::user_roles::Entity",
        from = "Column::Id",
        to = "super::user_roles::Column::UserId"
    )]
    Roles,
}

impl ActiveModelBehavior for ActiveModel {}

impl From<&User> for Model {
    fn from(user: &User) -> Self {
        let state = StoredState::of(&user.state);
        let profile = &user.profile;
        let attributes = &profile.attributes;
        let words = |words: String| (!words.is_empty()).then_some(words);
        Self {
            id: stored(user.id),
            group_id: user.group.as_str().into(),
            state: state.state.into(),
            credential_version: user.credential_version,
            created_at: user.created_at.as_millis(),
            blocked: state.blocked.map(Into::into),
            blocked_at: state.at.map(Timestamp::as_millis),
            blocked_until: state.until.map(Timestamp::as_millis),
            blocked_reason: state.reason.map(Into::into),
            external_id: user.external_id.as_ref().map(|id| id.as_str().into()),
            name: profile.name.as_ref().map(|name| name.as_str().into()),
            locale: profile.locale.as_ref().map(|tag| tag.as_str().into()),
            time_zone: profile.time_zone.as_ref().map(|zone| zone.as_str().into()),
            attributes: (!attributes.is_empty()).then(|| attributes.to_json()),
            roles: words(joined(user.roles.iter().map(UserRole::as_str))),
            scopes: words(joined(user.scopes.iter().map(Scope::as_str))),
            revision: Some(user.revision),
            updated_at: Some(user.updated_at.as_millis()),
        }
    }
}

impl TryFrom<Model> for User {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        let state = StoredState {
            state: &row.state,
            blocked: row.blocked.as_deref(),
            at: optional_instant(Column::BlockedAt, row.blocked_at)?,
            until: optional_instant(Column::BlockedUntil, row.blocked_until)?,
            reason: row.blocked_reason.as_deref(),
        };
        let state = parsed(Column::State, state.read())?;
        let external_id = optional(Column::ExternalId, row.external_id, ExternalId::parse)?;
        let profile = Profile {
            name: row.name.map(PersonName::stored),
            locale: optional(Column::Locale, row.locale, LanguageTag::parse)?,
            time_zone: optional(Column::TimeZone, row.time_zone, TimeZone::parse)?,
            attributes: optional(Column::Attributes, row.attributes, Attributes::stored)?
                .unwrap_or_default(),
        };
        let roles = row.roles.unwrap_or_default();
        let scopes = row.scopes.unwrap_or_default();
        let created_at = instant(Column::CreatedAt, row.created_at)?;
        Ok(Self {
            id: UserId::from_bytes(bytes(Column::Id, row.id)?),
            group: parsed(Column::GroupId, GroupId::parse(&row.group_id).ok())?,
            state,
            credential_version: row.credential_version,
            external_id,
            profile,
            roles: words(Column::Roles, &roles, |word| UserRole::parse(word).ok())?,
            scopes: words(Column::Scopes, &scopes, |word| Scope::parse(word).ok())?,
            revision: row.revision.unwrap_or(0),
            created_at,
            updated_at: instant(Column::UpdatedAt, row.updated_at.unwrap_or(row.created_at))?,
        })
    }
}

fn optional_instant(column: Column, millis: Option<i64>) -> Result<Option<Timestamp>, StoreError> {
    millis.map(|millis| instant(column, millis)).transpose()
}

fn optional<T>(
    column: Column,
    value: Option<String>,
    read: impl Fn(&str) -> Result<T, &'static str>,
) -> Result<Option<T>, StoreError> {
    value
        .map(|text| parsed(column, read(&text).ok()))
        .transpose()
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
            .filter(identifiers::is(self.reader().dialect(), group, identifier));
        find_account(self, select, "users.account_by_identifier").await
    }

    async fn user_by_external_id(
        &self,
        group: &GroupId,
        id: &ExternalId,
    ) -> Result<Option<User>, StoreError> {
        let select = Entity::find()
            .filter(Column::GroupId.eq(group.as_str()))
            .filter(Column::ExternalId.eq(id.as_str()));
        find(select, &self.reader(), "users.by_external_id").await
    }

    async fn listed_user(&self, id: UserId) -> Result<Option<ListedUser>, StoreError> {
        let user = self.user(id).await?;
        let listed = self.with_identifiers(user.into_iter().collect()).await?;
        Ok(listed.into_iter().next())
    }

    async fn list_users(
        &self,
        query: &UserQuery,
        size: PageSize,
        after: Option<&UserCursor>,
    ) -> Result<UserPage, StoreError> {
        self.page_of_users(query, size, after).await
    }

    async fn due_users(
        &self,
        due: DueUsers,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Vec<UserId>, StoreError> {
        self.ids_of_due_users(due, after, limit).await
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
            .cond_where(identifiers::is(self.db().dialect(), group, identifier))
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
            .map_err(store_error)?;
        user_roles::insert(&self.db(), user).await
    }

    async fn update_user(&mut self, user: &User) -> Result<(), StoreError> {
        let mut row = Model::from(user).into_active_model().reset_all();
        // Written once, or by others.
        row.group_id = ActiveValue::NotSet;
        row.credential_version = ActiveValue::NotSet;
        row.created_at = ActiveValue::NotSet;
        let updated = Entity::update_many()
            .set(row)
            .filter(Column::Id.eq(stored(user.id)))
            .exec(&self.db().statement("users.update"))
            .await
            .map_err(store_error)?;
        if updated.rows_affected == 0 {
            return Err(StoreError::Conflict);
        }
        user_roles::replace(&self.db(), user).await
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

    async fn identifiers_of(&mut self, id: UserId) -> Result<Vec<Identifier>, StoreError> {
        identifiers::readable_of(&self.db(), id).await
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
