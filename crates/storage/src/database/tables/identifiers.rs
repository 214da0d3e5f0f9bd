//! What people type to say who they are. It compares byte for byte on every
//! database.

use std::collections::HashMap;

use countersign_domain::model::{
    Address, Email, GroupId, Identifier, IdentifierKind, Phone, User, UserId, Username,
};
use countersign_domain::ports::StoreError;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Cond, ExprTrait as _};
use sea_orm::{Condition, IntoActiveModel as _, QueryOrder as _, QueryResult};

use super::rows::{self, ALONE, corrupt, parsed};
use crate::database::connection::Db;
use crate::database::damaged_rows::DamagedRows;
use crate::database::dialect::Dialect;
use crate::database::error::store_error;

/// The kinds that can receive a message.
const ADDRESSES: [IdentifierKind; 2] = [IdentifierKind::Email, IdentifierKind::Phone];

/// A row. Group, kind and value together exist once.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "identifiers")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub group_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub value: String,
    pub user_id: Vec<u8>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The row of an identifier of a user.
    pub(super) fn of(user: &User, identifier: &Identifier) -> Self {
        Self {
            group_id: user.group.as_str().into(),
            kind: identifier.kind().as_str().into(),
            value: identifier.as_str().into(),
            user_id: user.id.as_bytes().to_vec(),
        }
    }
}

/// The condition that a row is this identifier. It has the whole key of each index that
/// begins with group and kind: PostgreSQL takes one as readily as the other while it
/// knows nothing of a table, as after an import, and would read the rest of the group.
pub(super) fn is(dialect: &Dialect, group: &GroupId, identifier: &Identifier) -> Condition {
    Cond::all()
        .add(Column::GroupId.eq(group.as_str()))
        .add(Column::Kind.eq(identifier.kind().as_str()))
        .add(Column::Value.eq(identifier.as_str()))
        .add(Expr::cust(dialect.identifier_bytes).eq(identifier.as_str()))
}

pub(super) async fn addresses(db: &Db<'_>, user: UserId) -> Result<Vec<Address>, StoreError> {
    let select = Entity::find()
        .filter(Column::UserId.eq(user.as_bytes().to_vec()))
        .filter(Column::Kind.is_in(ADDRESSES.map(IdentifierKind::as_str)));
    let rows = rows::all(select, &db.statement("identifiers.addresses")).await?;
    rows.iter()
        .map(|row| read_address(&rows::model::<Entity>(row, ALONE)?))
        .collect()
}

/// The identifiers of users, by the bytes of their ids. One that cannot be read is left
/// out, and named.
pub(super) async fn of_users(
    db: &Db<'_>,
    ids: Vec<Vec<u8>>,
    damaged: &DamagedRows,
) -> Result<HashMap<Vec<u8>, Vec<Identifier>>, StoreError> {
    let mut of_users: HashMap<_, Vec<_>> = HashMap::new();
    if ids.is_empty() {
        return Ok(of_users);
    }
    let select = Entity::find()
        .filter(Column::UserId.is_in(ids))
        .order_by_asc(Column::Kind)
        .order_by_asc(Column::Value);
    let rows = rows::all(select, &db.statement("identifiers.of_users")).await?;
    let key = |row: &QueryResult| rows::key_of_id(row, Column::UserId);
    let read = |row: &QueryResult| {
        let row = rows::model::<Entity>(row, ALONE)?;
        Ok((row.user_id.clone(), read(&row)?))
    };
    for (user, identifier) in damaged.readable("identifiers", &rows, key, read) {
        of_users.entry(user).or_default().push(identifier);
    }
    Ok(of_users)
}

/// The identifiers of a user. One that cannot be read is left out.
pub(super) async fn readable_of(db: &Db<'_>, id: UserId) -> Result<Vec<Identifier>, StoreError> {
    let id = id.as_bytes().to_vec();
    let mut of_users = of_users(db, vec![id.clone()], &DamagedRows::default()).await?;
    Ok(of_users.remove(&id).unwrap_or_default())
}

fn read(row: &Model) -> Result<Identifier, StoreError> {
    if row.kind == IdentifierKind::Username.as_str() {
        let username = Username::parse(&row.value).ok();
        return parsed(Column::Value, username.map(Identifier::Username));
    }
    read_address(row).map(Identifier::from)
}

fn read_address(row: &Model) -> Result<Address, StoreError> {
    let email = IdentifierKind::Email.as_str();
    let phone = IdentifierKind::Phone.as_str();
    let address = match row.kind.as_str() {
        kind if kind == email => Email::parse(&row.value).ok().map(Address::Email),
        kind if kind == phone => Phone::restore(&row.value).ok().map(Address::Phone),
        _ => return Err(corrupt(Column::Kind)),
    };
    parsed(Column::Value, address)
}

/// Takes an identifier from a user; tells whether it was the user's.
pub(super) async fn delete(
    db: &Db<'_>,
    user: &User,
    identifier: &Identifier,
) -> Result<bool, StoreError> {
    let deleted = Entity::delete_many()
        .filter(is(db.dialect(), &user.group, identifier))
        .filter(Column::UserId.eq(user.id.as_bytes().to_vec()))
        .exec(&db.statement("identifiers.delete"))
        .await
        .map_err(store_error)?;
    Ok(deleted.rows_affected == 1)
}

pub(super) async fn insert(
    db: &Db<'_>,
    user: &User,
    identifier: &Identifier,
) -> Result<(), StoreError> {
    Entity::insert(Model::of(user, identifier).into_active_model())
        .exec_without_returning(&db.statement("identifiers.insert"))
        .await
        .map(drop)
        .map_err(store_error)
}
