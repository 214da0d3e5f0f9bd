//! Identifiers. They compare byte for byte on every database.

use countersign_domain::model::{
    Address, Email, GroupId, Identifier, IdentifierKind, Phone, Timestamp, User, UserId,
};
use countersign_domain::ports::StoreError;
use sea_orm::sea_query::{Cond, ExprTrait as _, Query};

use super::connection::Connection;
use super::row::{Row, corrupt};
use super::tables::{Column as _, Identifiers};
use super::users::bytes;

/// The kinds that can receive a code.
const ADDRESSES: [IdentifierKind; 2] = [IdentifierKind::Email, IdentifierKind::Phone];

/// The condition that a row is this identifier.
pub(super) fn is(group: &GroupId, kind: IdentifierKind, value: &str) -> Cond {
    Cond::all()
        .add(Identifiers::GroupId.col().eq(group.as_str()))
        .add(Identifiers::Kind.col().eq(kind.as_str()))
        .add(Identifiers::Value.col().eq(value))
}

pub(super) async fn verified_addresses(
    db: &Connection<'_>,
    id: UserId,
) -> Result<Vec<Address>, StoreError> {
    let select = Query::select()
        .expr(Identifiers::Kind.col())
        .expr(Identifiers::Value.col())
        .from(Identifiers::Table)
        .and_where(Identifiers::UserId.col().eq(bytes(id)))
        .and_where(Identifiers::VerifiedAt.col().is_not_null())
        .and_where(
            Identifiers::Kind
                .col()
                .is_in(ADDRESSES.map(IdentifierKind::as_str)),
        )
        .take();
    db.all(&select, read_address).await
}

fn read_address(row: &mut Row) -> Result<Address, StoreError> {
    let kind: String = row.value(Identifiers::Kind)?;
    row.text(Identifiers::Value, |value| {
        if kind == IdentifierKind::Email.as_str() {
            Email::parse(value).ok().map(Address::Email)
        } else {
            Phone::restore(value).ok().map(Address::Phone)
        }
    })
    .map_err(|_| corrupt(Identifiers::Value))
}

pub(super) async fn insert(
    db: &Connection<'_>,
    user: &User,
    identifier: &Identifier,
    verified_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    let insert = Query::insert()
        .into_table(Identifiers::Table)
        .columns(Identifiers::ALL.iter().copied())
        .values_panic([
            user.group.as_str().into(),
            identifier.kind().as_str().into(),
            identifier.as_str().into(),
            bytes(user.id).into(),
            verified_at.map(Timestamp::as_millis).into(),
        ])
        .take();
    db.execute(&insert).await.map(drop)
}

pub(super) async fn verify_addresses(
    db: &Connection<'_>,
    user: UserId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let update = Query::update()
        .table(Identifiers::Table)
        .value(Identifiers::VerifiedAt, now.as_millis())
        .and_where(Identifiers::UserId.col().eq(bytes(user)))
        .and_where(Identifiers::VerifiedAt.col().is_null())
        .and_where(
            Identifiers::Kind
                .col()
                .is_in(ADDRESSES.map(IdentifierKind::as_str)),
        )
        .take();
    db.execute(&update).await.map(drop)
}
