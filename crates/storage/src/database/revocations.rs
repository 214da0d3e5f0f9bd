//! The revocation feed.

use countersign_domain::model::{Revocation, SessionId, Timestamp};
use countersign_domain::ports::StoreError;
use sea_orm::sea_query::{ExprTrait as _, Order, Query};

use super::connection::Connection;
use super::row::Row;
use super::sessions::bytes;
use super::tables::{Column as _, Revocations};

/// Reads the columns of [`Revocations::all`].
fn read(row: &mut Row) -> Result<Revocation, StoreError> {
    Ok(Revocation {
        session_id: SessionId::from_bytes(row.bytes(Revocations::SessionId)?),
        revoked_at: row.time(Revocations::RevokedAt)?,
        expires_at: row.time(Revocations::ExpiresAt)?,
    })
}

pub(super) async fn since(
    db: &Connection<'_>,
    since: Timestamp,
    now: Timestamp,
) -> Result<Vec<Revocation>, StoreError> {
    let select = Query::select()
        .columns(Revocations::all())
        .from(Revocations::Table)
        .and_where(Revocations::RevokedAt.col().gte(since.as_millis()))
        .and_where(Revocations::ExpiresAt.col().gt(now.as_millis()))
        .order_by((Revocations::Table, Revocations::RevokedAt), Order::Asc)
        .take();
    db.all(&select, read).await
}

pub(super) async fn insert(
    db: &Connection<'_>,
    revocations: &[Revocation],
) -> Result<(), StoreError> {
    let mut insert = Query::insert()
        .into_table(Revocations::Table)
        .columns(Revocations::ALL.iter().copied())
        .take();
    for revocation in revocations {
        insert.values_panic([
            bytes(revocation.session_id).into(),
            revocation.revoked_at.as_millis().into(),
            revocation.expires_at.as_millis().into(),
        ]);
    }
    db.execute(&insert).await.map(drop)
}
