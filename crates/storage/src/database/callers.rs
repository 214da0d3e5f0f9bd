//! The programs that may call, and the hashes of their keys.

use countersign_domain::model::{Caller, CallerName, Role};
use countersign_domain::ports::StoreError;
use sea_orm::sea_query::{ExprTrait as _, Order, Query};

use super::connection::Connection;
use super::row::{Row, joined};
use super::tables::{Callers, Column as _};

/// Reads the columns of [`Callers::all`].
fn read(row: &mut Row) -> Result<Caller, StoreError> {
    Ok(Caller {
        name: row.text(Callers::Name, |text| CallerName::parse(text).ok())?,
        roles: row.words(Callers::Roles, |word| word.parse().ok())?,
        key_hash: row.bytes(Callers::KeyHash)?,
        created_at: row.time(Callers::CreatedAt)?,
    })
}

pub(super) async fn all(db: &Connection<'_>) -> Result<Vec<Caller>, StoreError> {
    let select = Query::select()
        .columns(Callers::all())
        .from(Callers::Table)
        .order_by((Callers::Table, Callers::Name), Order::Asc)
        .take();
    db.all(&select, read).await
}

pub(super) async fn insert(db: &Connection<'_>, caller: &Caller) -> Result<(), StoreError> {
    let insert = Query::insert()
        .into_table(Callers::Table)
        .columns(Callers::ALL.iter().copied())
        .values_panic([
            caller.name.as_str().into(),
            joined(caller.roles.iter().copied().map(Role::as_str)).into(),
            caller.key_hash.to_vec().into(),
            caller.created_at.as_millis().into(),
        ])
        .take();
    db.execute(&insert).await.map(drop)
}

pub(super) async fn delete(db: &Connection<'_>, name: &CallerName) -> Result<bool, StoreError> {
    let delete = Query::delete()
        .from_table(Callers::Table)
        .and_where(Callers::Name.col().eq(name.as_str()))
        .take();
    Ok(db.execute(&delete).await? == 1)
}
