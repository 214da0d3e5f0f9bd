//! The groups. What is different in one from the server's configuration is JSON: a
//! release passes over what it does not know.

use async_trait::async_trait;
use countersign_domain::model::{Group, GroupId, GroupPolicy, PageSize};
use countersign_domain::ports::{AllGroups, GroupChanges, GroupPage, Groups, StoreError};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Query;
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QueryResult, QuerySelect as _};

use super::rows::{self, ALONE, instant, parsed};
use super::users;
use crate::database::error::store_error;
use crate::database::handle::Database;
use crate::database::unit_of_work::SqlUnitOfWork;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "groups")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub display_name: String,
    pub policy: String,
    pub revision: i64,
    pub created_at: i64,
    pub updated_at: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for Group {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        let id = Some(row.id.as_str()).filter(|id| !id.is_empty());
        let id = id.and_then(|id| GroupId::parse(id).ok());
        let policy = GroupPolicy::from_stored(&row.policy);
        Ok(Self {
            id: parsed(Column::Id, id)?,
            display_name: row.display_name,
            policy: parsed(Column::Policy, policy)?,
            revision: row.revision,
            created_at: instant(Column::CreatedAt, row.created_at)?,
            updated_at: instant(Column::UpdatedAt, row.updated_at)?,
        })
    }
}

#[async_trait]
impl Groups for Database {
    async fn groups(&self) -> Result<AllGroups, StoreError> {
        let select = Entity::find().order_by_asc(Column::Id);
        let rows = rows::all(select, &self.reader().statement("groups.all")).await?;
        let (readable, unreadable) = self.damaged.sorted("groups", &rows, id, read);
        Ok(AllGroups {
            readable,
            unreadable,
        })
    }

    async fn group(&self, id: &GroupId) -> Result<Option<Group>, StoreError> {
        let select = Entity::find_by_id(id.as_str());
        let row = rows::first(select, &self.reader().statement("groups.by_id")).await?;
        row.map(|row| read(&row)).transpose()
    }

    async fn has_group(&self, id: &GroupId) -> Result<bool, StoreError> {
        let select = Entity::find_by_id(id.as_str());
        let row = rows::first(select, &self.reader().statement("groups.has")).await?;
        Ok(row.is_some())
    }

    async fn groups_after(
        &self,
        after: Option<&str>,
        size: PageSize,
    ) -> Result<GroupPage, StoreError> {
        let size = size.get() as usize;
        let mut select = Entity::find()
            .order_by_asc(Column::Id)
            .limit(size as u64 + 1);
        if let Some(after) = after {
            select = select.filter(Column::Id.gt(after));
        }
        let mut rows = rows::all(select, &self.reader().statement("groups.page")).await?;
        let has_more = rows.len() > size;
        rows.truncate(size);
        let next = match rows.last() {
            Some(last) if has_more => Some(parsed(Column::Id, id(last))?),
            _ => None,
        };
        let groups = self.damaged.readable("groups", &rows, id, read);
        Ok(GroupPage { groups, next })
    }

    async fn groups_of_users(&self) -> Result<Vec<GroupId>, StoreError> {
        let known = Query::select().column(Column::Id).from(Entity).take();
        let select = users::Entity::find()
            .select_only()
            .column(users::Column::GroupId)
            .distinct()
            .filter(users::Column::GroupId.not_in_subquery(known));
        let rows = rows::all(select, &self.reader().statement("groups.of_users")).await?;
        let id = |row: &QueryResult| row.try_get("", users::Column::GroupId.as_str()).ok();
        Ok(self.damaged.readable("users", &rows, id, |row| {
            let text: Option<String> = id(row);
            let group = text.and_then(|text| GroupId::parse(&text).ok());
            parsed(users::Column::GroupId, group)
        }))
    }
}

#[async_trait]
impl GroupChanges for SqlUnitOfWork {
    async fn insert_group(&mut self, group: &Group) -> Result<(), StoreError> {
        let row = Model {
            id: group.id.as_str().into(),
            display_name: group.display_name.clone(),
            policy: group.policy.to_stored(),
            revision: group.revision,
            created_at: group.created_at.as_millis(),
            updated_at: group.updated_at.as_millis(),
        };
        Entity::insert(row.into_active_model())
            .exec_without_returning(&self.db().statement("groups.insert"))
            .await
            .map(drop)
            .map_err(store_error)
    }

    async fn lock_group(&mut self, id: &GroupId) -> Result<Option<Group>, StoreError> {
        let select = Entity::find_by_id(id.as_str()).lock_exclusive();
        let row = rows::first(select, &self.db().statement("groups.lock")).await?;
        row.map(|row| read(&row)).transpose()
    }

    async fn hold_group(&mut self, id: &GroupId) -> Result<bool, StoreError> {
        let select = Entity::find_by_id(id.as_str()).lock_shared();
        let row = rows::first(select, &self.db().statement("groups.hold")).await?;
        Ok(row.is_some())
    }

    async fn update_group(&mut self, group: &Group) -> Result<(), StoreError> {
        let updated = Entity::update_many()
            .col_expr(Column::DisplayName, Expr::value(group.display_name.clone()))
            .col_expr(Column::Policy, Expr::value(group.policy.to_stored()))
            .col_expr(Column::Revision, Expr::value(group.revision))
            .col_expr(Column::UpdatedAt, Expr::value(group.updated_at.as_millis()))
            .filter(Column::Id.eq(group.id.as_str()))
            .exec(&self.db().statement("groups.update"))
            .await
            .map_err(store_error)?;
        match updated.rows_affected {
            0 => Err(StoreError::Conflict),
            _ => Ok(()),
        }
    }

    async fn has_users(&mut self, id: &GroupId) -> Result<bool, StoreError> {
        let select = users::Entity::find()
            .filter(users::Column::GroupId.eq(id.as_str()))
            .limit(1);
        let row = rows::first(select, &self.db().statement("groups.has_users")).await?;
        Ok(row.is_some())
    }

    async fn delete_group(&mut self, id: &GroupId) -> Result<bool, StoreError> {
        let deleted = Entity::delete_by_id(id.as_str())
            .exec(&self.db().statement("groups.delete"))
            .await
            .map_err(store_error)?;
        Ok(deleted.rows_affected == 1)
    }
}

fn read(row: &QueryResult) -> Result<Group, StoreError> {
    rows::model::<Entity>(row, ALONE)?.try_into()
}

fn id(row: &QueryResult) -> Option<String> {
    row.try_get("", Column::Id.as_str()).ok()
}
