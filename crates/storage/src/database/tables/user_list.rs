//! Lists of users, page by page, and users whose time has come. Each order is that of an index, and a page begins in
//! the middle of it, so that it costs the same whichever it is.

use countersign_domain::model::{
    Identifier, IdentifierPrefix, PageSize, StateFilter, Timestamp, User, UserCursor, UserId,
    UserQuery,
};
use countersign_domain::ports::{DueUsers, ListedUser, StoreError, UserPage};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Cond, ExprTrait as _};
use sea_orm::{Condition, JoinType, Order, QueryOrder as _, QueryResult, QuerySelect as _};

use super::rows::{self, ALONE, bytes};
use super::users::{Column, Entity, Relation, read};
use super::{identifiers, user_roles, user_states};
use crate::database::dialect::Dialect;
use crate::database::handle::Database;

/// The column of a page's rows that has the identifier by which they are ordered.
const PLACE: &str = "place";

/// A list, in one of its orders.
struct List<'a> {
    query: &'a UserQuery,
    dialect: &'static Dialect,
    /// The columns of the order.
    at: Expr,
    id: Expr,
    /// The identifier by which it is ordered instead.
    identifier: Option<(&'a IdentifierPrefix, Expr)>,
}

impl Database {
    /// A user with its identifiers.
    pub(super) async fn with_identifiers(
        &self,
        users: Vec<User>,
    ) -> Result<Vec<ListedUser>, StoreError> {
        let ids = users.iter().map(|user| user.id.as_bytes().to_vec());
        let ids = ids.collect();
        let reader = self.reader();
        let of_users = identifiers::of_users(&reader, ids, &self.damaged).await?;
        let listed = users.into_iter().map(|user| ListedUser {
            identifiers: of_users
                .get(user.id.as_bytes().as_slice())
                .cloned()
                .unwrap_or_default(),
            user,
        });
        Ok(listed.collect())
    }

    /// A page of a list. What cannot be read is left out, and the page filled up.
    pub(super) async fn page_of_users(
        &self,
        query: &UserQuery,
        size: PageSize,
        after: Option<&UserCursor>,
    ) -> Result<UserPage, StoreError> {
        let list = List::new(query, self.reader().dialect());
        let size = size.get() as usize;
        let mut after = after.cloned();
        let mut found: Vec<(UserCursor, User)> = Vec::with_capacity(size + 1);
        loop {
            let select = list.select(after.as_ref()).limit(size as u64 + 1);
            let rows = rows::all(select, &self.reader().statement("users.list")).await?;
            let key = |row: &QueryResult| rows::key_of_id(row, Column::Id);
            let readable = |row: &QueryResult| Ok((list.cursor(row)?, read(row, ALONE)?));
            found.extend(self.damaged.readable("users", &rows, key, readable));
            let last = rows.iter().rev().find_map(|row| list.cursor(row).ok());
            match last {
                Some(last) if rows.len() > size && found.len() <= size => after = Some(last),
                _ => break,
            }
        }
        let next = (found.len() > size).then(|| found[size - 1].0.clone());
        found.truncate(size);
        let (places, users): (Vec<_>, Vec<_>) = found.into_iter().unzip();
        let listed = self.with_identifiers(users).await?;
        let once = places.into_iter().zip(listed);
        let once = once.filter(|(place, user)| list.is_first_place(place, user));
        Ok(UserPage {
            users: once.map(|(_, user)| user).collect(),
            next,
        })
    }
}

impl<'a> List<'a> {
    fn new(query: &'a UserQuery, dialect: &'static Dialect) -> Self {
        let (at, id) = match query.role {
            Some(_) => (
                Expr::col((user_roles::Entity, user_roles::Column::CreatedAt)),
                Expr::col((user_roles::Entity, user_roles::Column::UserId)),
            ),
            None => (
                Expr::col((Entity, Column::CreatedAt)),
                Expr::col((Entity, Column::Id)),
            ),
        };
        let by = |prefix| (prefix, Expr::cust(dialect.identifier_bytes));
        Self {
            query,
            dialect,
            at,
            id,
            identifier: query.prefix.as_ref().map(by),
        }
    }

    /// Whether a user, who is found by each identifier that begins so, is told here: at
    /// the first of them.
    fn is_first_place(&self, place: &UserCursor, user: &ListedUser) -> bool {
        let (Some((prefix, _)), UserCursor::Identifier(place)) = (&self.identifier, place) else {
            return true;
        };
        let begins = |identifier: &&Identifier| {
            identifier.kind() == prefix.kind() && identifier.as_str().starts_with(prefix.as_str())
        };
        let first = user
            .identifiers
            .iter()
            .filter(begins)
            .map(Identifier::as_str)
            .min();
        first.is_none_or(|first| place.as_str() <= first)
    }

    fn select(&self, after: Option<&UserCursor>) -> Select<Entity> {
        let mut select = Entity::find().filter(self.which());
        if let Some((prefix, value)) = &self.identifier {
            let beyond = format!("{}{}", prefix.as_str(), char::MAX);
            select = select
                .join(JoinType::InnerJoin, Relation::Identifiers.def())
                .column_as(
                    Expr::col((identifiers::Entity, identifiers::Column::Value)),
                    PLACE,
                )
                .filter(identifiers::Column::Kind.eq(prefix.kind().as_str()))
                .filter(value.clone().gte(prefix.as_str()))
                .filter(value.clone().lt(beyond))
                .order_by(value.clone(), Order::Asc);
            if let Some(group) = &self.query.group {
                select = select.filter(identifiers::Column::GroupId.eq(group.as_str()));
            }
            if let Some(UserCursor::Identifier(after)) = after {
                select = select.filter(value.clone().gt(after.as_str()));
            }
            return select;
        }
        if let Some(role) = &self.query.role {
            select = select
                .join(JoinType::InnerJoin, Relation::Roles.def())
                .filter(user_roles::Column::Role.eq(role.as_str()));
        }
        if let Some(UserCursor::Created(at, id)) = after {
            select = select.filter(self.beyond(*at, *id));
        }
        let order = match self.query.oldest_first {
            true => Order::Asc,
            false => Order::Desc,
        };
        select
            .order_by(self.at.clone(), order.clone())
            .order_by(self.id.clone(), order)
    }

    /// What comes after a place. The first condition is one range of the index.
    fn beyond(&self, at: Timestamp, id: UserId) -> Condition {
        let (at, id) = (at.as_millis(), id.as_bytes().to_vec());
        let (column, key) = (|| self.at.clone(), || self.id.clone());
        match self.query.oldest_first {
            true => Cond::all()
                .add(column().gte(at))
                .add(Cond::any().add(column().gt(at)).add(key().gt(id))),
            false => Cond::all()
                .add(column().lte(at))
                .add(Cond::any().add(column().lt(at)).add(key().lt(id))),
        }
    }

    fn which(&self) -> Condition {
        let query = self.query;
        let mut all = Cond::all();
        if let Some(group) = &query.group {
            all = all.add(self.is(Column::GroupId, group.as_str()));
        }
        if let Some(from) = query.created_from {
            all = all.add(self.at.clone().gte(from.as_millis()));
        }
        if let Some(before) = query.created_before {
            all = all.add(self.at.clone().lt(before.as_millis()));
        }
        match query.state.map(user_states::columns) {
            Some((state, blocked)) => all
                .add(self.is(Column::State, state))
                .add(is_blocked(blocked)),
            None => all,
        }
    }

    /// The condition that the first column of an index of `users` has a text.
    fn is(&self, column: impl ColumnTrait, text: &str) -> Condition {
        match self.dialect.equals_by_range {
            true => Cond::all().add(column.gte(text)).add(column.lte(text)),
            false => Cond::all().add(column.eq(text)),
        }
    }

    fn cursor(&self, row: &QueryResult) -> Result<UserCursor, StoreError> {
        if self.identifier.is_some() {
            let place = row.try_get("", PLACE);
            let place = place.map_err(|_| rows::corrupt(identifiers::Column::Value))?;
            return Ok(UserCursor::Identifier(place));
        }
        let at = row.try_get("", Column::CreatedAt.as_str());
        let at = at.map_err(|_| rows::corrupt(Column::CreatedAt))?;
        let id = rows::stored_id(row, Column::Id)?;
        let id = UserId::from_bytes(bytes(Column::Id, id)?);
        Ok(UserCursor::Created(Timestamp::from_millis(at), id))
    }
}

impl Database {
    /// The ids of users whose time has come.
    pub(super) async fn ids_of_due_users(
        &self,
        due: DueUsers,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Vec<UserId>, StoreError> {
        let due = match due {
            DueUsers::SuspendedUntil(at) => {
                is_in(StateFilter::Suspended).add(Column::BlockedUntil.lte(at.as_millis()))
            }
            DueUsers::WithdrawnAt(at) => {
                is_in(StateFilter::Withdrawn).add(Column::BlockedAt.lte(at.as_millis()))
            }
        };
        let select = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(due)
            .order_by_asc(Column::Id)
            .limit(u64::from(limit));
        let key = |row: &QueryResult| rows::key_of_id(row, Column::Id);
        let readable = |row: &QueryResult| {
            let id = rows::stored_id(row, Column::Id)?;
            Ok(UserId::from_bytes(bytes(Column::Id, id)?))
        };
        let mut after = after.map(|after| after.as_bytes().to_vec());
        loop {
            let mut select = select.clone();
            if let Some(after) = after {
                select = select.filter(Column::Id.gt(after));
            }
            let rows = rows::all(select, &self.reader().statement("users.due")).await?;
            let ids = self.damaged.readable("users", &rows, key, readable);
            let last = rows
                .last()
                .and_then(|row| rows::stored_id(row, Column::Id).ok());
            // Where none of them can be read, those behind them are due all the same.
            if !ids.is_empty() || last.is_none() {
                return Ok(ids);
            }
            after = last;
        }
    }
}

/// The condition that a user is in a state.
fn is_in(state: StateFilter) -> Condition {
    let (state, blocked) = user_states::columns(state);
    Cond::all()
        .add(Column::State.eq(state))
        .add(is_blocked(blocked))
}

fn is_blocked(blocked: Option<&str>) -> Condition {
    match blocked {
        Some(blocked) => Cond::all().add(Column::Blocked.eq(blocked)),
        None => Cond::all().add(Column::Blocked.is_null()),
    }
}
