//! Signing keys, sealed. The unique `slot` sees to it that there is one `next`
//! and one `active` key, whoever rotates at the same time.

use countersign_domain::model::{KeyState, SealedSigningKey, Timestamp};
use countersign_domain::ports::StoreError;
use sea_orm::sea_query::{ExprTrait as _, Order, Query};

use super::connection::Connection;
use super::row::Row;
use super::tables::{Column as _, SigningKeys};

/// Reads the columns of [`SigningKeys::all`].
fn read(row: &mut Row) -> Result<SealedSigningKey, StoreError> {
    let kid = row.value(SigningKeys::Kid)?;
    let algorithm = row.text(SigningKeys::Algorithm, |text| text.parse().ok())?;
    let state = row.text(SigningKeys::State, KeyState::from_stored)?;
    let _slot: Option<String> = row.value(SigningKeys::Slot)?;
    Ok(SealedSigningKey {
        kid,
        algorithm,
        state,
        sealed: row.value(SigningKeys::Sealed)?,
        created_at: row.time(SigningKeys::CreatedAt)?,
        expires_at: row.optional_time(SigningKeys::ExpiresAt)?,
    })
}

/// What only one key can have.
fn slot(state: KeyState) -> Option<&'static str> {
    match state {
        KeyState::Active | KeyState::Next => Some(state.as_str()),
        KeyState::Retired => None,
    }
}

pub(super) async fn all(db: &Connection<'_>) -> Result<Vec<SealedSigningKey>, StoreError> {
    let select = Query::select()
        .columns(SigningKeys::all())
        .from(SigningKeys::Table)
        .order_by((SigningKeys::Table, SigningKeys::CreatedAt), Order::Asc)
        .order_by((SigningKeys::Table, SigningKeys::Kid), Order::Asc)
        .take();
    db.all(&select, read).await
}

pub(super) async fn insert(db: &Connection<'_>, key: &SealedSigningKey) -> Result<(), StoreError> {
    let insert = Query::insert()
        .into_table(SigningKeys::Table)
        .columns(SigningKeys::ALL.iter().copied())
        .values_panic([
            key.kid.as_str().into(),
            key.algorithm.as_str().into(),
            key.state.as_str().into(),
            slot(key.state).into(),
            key.sealed.clone().into(),
            key.created_at.as_millis().into(),
            key.expires_at.map(Timestamp::as_millis).into(),
        ])
        .take();
    db.execute(&insert).await.map(drop)
}

pub(super) async fn shift(
    db: &Connection<'_>,
    kid: &str,
    from: KeyState,
    to: KeyState,
    expires_at: Option<Timestamp>,
) -> Result<bool, StoreError> {
    let update = Query::update()
        .table(SigningKeys::Table)
        .value(SigningKeys::State, to.as_str())
        .value(SigningKeys::Slot, slot(to))
        .value(SigningKeys::ExpiresAt, expires_at.map(Timestamp::as_millis))
        .and_where(SigningKeys::Kid.col().eq(kid))
        .and_where(SigningKeys::State.col().eq(from.as_str()))
        .take();
    Ok(db.execute(&update).await? == 1)
}

pub(super) async fn delete(db: &Connection<'_>, kid: &str) -> Result<bool, StoreError> {
    let delete = Query::delete()
        .from_table(SigningKeys::Table)
        .and_where(SigningKeys::Kid.col().eq(kid))
        .take();
    Ok(db.execute(&delete).await? == 1)
}
