//! Users, alone and with their passwords.

use countersign_domain::model::{Address, GroupId, Identifier, Timestamp, User, UserId, UserState};
use countersign_domain::ports::{Account, StoreError};
use sea_orm::sea_query::{ExprTrait as _, Query, SelectStatement};

use super::connection::Connection;
use super::row::Row;
use super::tables::{Column as _, Credentials, Identifiers, Users};
use super::{credentials, identifiers};

/// Reads the columns of [`Users::all`].
pub(super) fn read(row: &mut Row) -> Result<User, StoreError> {
    Ok(User {
        id: UserId::from_bytes(row.bytes(Users::Id)?),
        group: row.text(Users::GroupId, |text| GroupId::parse(text).ok())?,
        state: row.text(Users::State, UserState::from_stored)?,
        created_at: row.time(Users::CreatedAt)?,
    })
}

fn select() -> SelectStatement {
    Query::select()
        .columns(Users::all())
        .from(Users::Table)
        .take()
}

/// Users with their passwords.
fn select_accounts() -> SelectStatement {
    select()
        .columns(Credentials::all())
        .left_join(
            Credentials::Table,
            Credentials::UserId.col().eq(Users::Id.col()),
        )
        .take()
}

fn read_account(mut row: Row) -> Result<Account, StoreError> {
    Ok(Account {
        user: read(&mut row)?,
        credential: credentials::read_optional(&mut row)?,
    })
}

pub(super) async fn user(db: &Connection<'_>, id: UserId) -> Result<Option<User>, StoreError> {
    let select = select().and_where(Users::Id.col().eq(bytes(id))).take();
    let row = db.first(&select).await?;
    row.map(|mut row| read(&mut row)).transpose()
}

pub(super) async fn account(
    db: &Connection<'_>,
    id: UserId,
) -> Result<Option<Account>, StoreError> {
    let select = select_accounts()
        .and_where(Users::Id.col().eq(bytes(id)))
        .take();
    db.first(&select).await?.map(read_account).transpose()
}

pub(super) async fn account_by_identifier(
    db: &Connection<'_>,
    group: &GroupId,
    identifier: &Identifier,
) -> Result<Option<Account>, StoreError> {
    let select = select_accounts()
        .inner_join(
            Identifiers::Table,
            Identifiers::UserId.col().eq(Users::Id.col()),
        )
        .cond_where(identifiers::is(
            group,
            identifier.kind(),
            identifier.as_str(),
        ))
        .take();
    db.first(&select).await?.map(read_account).transpose()
}

pub(super) async fn user_by_verified_address(
    db: &Connection<'_>,
    group: &GroupId,
    address: &Address,
) -> Result<Option<User>, StoreError> {
    let select = select()
        .inner_join(
            Identifiers::Table,
            Identifiers::UserId.col().eq(Users::Id.col()),
        )
        .cond_where(identifiers::is(group, address.kind(), address.as_str()))
        .and_where(Identifiers::VerifiedAt.col().is_not_null())
        .take();
    let row = db.first(&select).await?;
    row.map(|mut row| read(&mut row)).transpose()
}

pub(super) async fn lock(db: &Connection<'_>, id: UserId) -> Result<Option<User>, StoreError> {
    let select = select()
        .and_where(Users::Id.col().eq(bytes(id)))
        .lock_exclusive()
        .take();
    let row = db.first(&select).await?;
    row.map(|mut row| read(&mut row)).transpose()
}

/// The user is found by a subquery, not by a join: a join would lock the
/// identifier's row too, before the user's, and so deadlock with a unit of work
/// that holds the user and verifies its identifiers.
pub(super) async fn lock_by_identifier(
    db: &Connection<'_>,
    group: &GroupId,
    identifier: &Identifier,
) -> Result<Option<User>, StoreError> {
    let holder = Query::select()
        .expr(Identifiers::UserId.col())
        .from(Identifiers::Table)
        .cond_where(identifiers::is(
            group,
            identifier.kind(),
            identifier.as_str(),
        ))
        .take();
    let select = select()
        .and_where(Users::Id.col().in_subquery(holder))
        .lock_exclusive()
        .take();
    let row = db.first(&select).await?;
    row.map(|mut row| read(&mut row)).transpose()
}

pub(super) async fn insert(db: &Connection<'_>, user: &User) -> Result<(), StoreError> {
    let insert = Query::insert()
        .into_table(Users::Table)
        .columns(Users::ALL.iter().copied())
        .values_panic([
            bytes(user.id).into(),
            user.group.as_str().into(),
            user.state.as_str().into(),
            user.created_at.as_millis().into(),
        ])
        .take();
    db.execute(&insert).await.map(drop)
}

pub(super) async fn activate(
    db: &Connection<'_>,
    id: UserId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let update = Query::update()
        .table(Users::Table)
        .value(Users::State, UserState::Active.as_str())
        .and_where(Users::Id.col().eq(bytes(id)))
        .and_where(Users::State.col().eq(UserState::Pending.as_str()))
        .take();
    if db.execute(&update).await? == 0 {
        return Ok(());
    }
    identifiers::verify_addresses(db, id, now).await
}

/// Deletes a user; what points at it goes with it.
pub(super) async fn delete(db: &Connection<'_>, id: UserId) -> Result<(), StoreError> {
    let delete = Query::delete()
        .from_table(Users::Table)
        .and_where(Users::Id.col().eq(bytes(id)))
        .take();
    db.execute(&delete).await.map(drop)
}

/// An id as it is stored.
pub(super) fn bytes(id: UserId) -> Vec<u8> {
    id.as_bytes().to_vec()
}
