//! Passwords, and how often they were missed in a row.

use countersign_domain::model::{PasswordCredential, PasswordHash, Timestamp, UserId};
use countersign_domain::ports::StoreError;
use sea_orm::sea_query::{ExprTrait as _, OnConflict, Query};

use super::connection::Connection;
use super::row::{Row, corrupt};
use super::tables::{Column as _, Credentials};
use super::users::bytes;

/// Reads the columns of [`Credentials::all`].
fn read(row: &mut Row) -> Result<PasswordCredential, StoreError> {
    let user_id = UserId::from_bytes(row.bytes(Credentials::UserId)?);
    read_after_id(user_id, row)
}

/// Reads the columns of [`Credentials::all`] where a left join may have left
/// them empty.
pub(super) fn read_optional(row: &mut Row) -> Result<Option<PasswordCredential>, StoreError> {
    let user_id: Option<Vec<u8>> = row.value(Credentials::UserId)?;
    let Some(user_id) = user_id else {
        return Ok(None);
    };
    let user_id = user_id
        .try_into()
        .map_err(|_| corrupt(Credentials::UserId))?;
    read_after_id(UserId::from_bytes(user_id), row).map(Some)
}

fn read_after_id(user_id: UserId, row: &mut Row) -> Result<PasswordCredential, StoreError> {
    let hash = PasswordHash::new(row.value(Credentials::Hash)?);
    let failures: i64 = row.value(Credentials::Failures)?;
    Ok(PasswordCredential {
        user_id,
        hash,
        failures: u32::try_from(failures).map_err(|_| corrupt(Credentials::Failures))?,
        updated_at: row.time(Credentials::UpdatedAt)?,
    })
}

/// One conditional statement: of many at once, `cap` succeed.
pub(super) async fn count_attempt(
    db: &Connection<'_>,
    user: UserId,
    cap: u32,
) -> Result<bool, StoreError> {
    let update = Query::update()
        .table(Credentials::Table)
        .value(
            Credentials::Failures,
            Credentials::Failures.col().add(1_i64),
        )
        .and_where(Credentials::UserId.col().eq(bytes(user)))
        .and_where(Credentials::Failures.col().lt(i64::from(cap)))
        .take();
    Ok(db.execute(&update).await? == 1)
}

pub(super) async fn lock(
    db: &Connection<'_>,
    user: UserId,
) -> Result<Option<PasswordCredential>, StoreError> {
    let select = Query::select()
        .columns(Credentials::all())
        .from(Credentials::Table)
        .and_where(Credentials::UserId.col().eq(bytes(user)))
        .lock_exclusive()
        .take();
    let row = db.first(&select).await?;
    row.map(|mut row| read(&mut row)).transpose()
}

pub(super) async fn put(
    db: &Connection<'_>,
    credential: &PasswordCredential,
) -> Result<(), StoreError> {
    let insert = Query::insert()
        .into_table(Credentials::Table)
        .columns(Credentials::ALL.iter().copied())
        .values_panic([
            bytes(credential.user_id).into(),
            credential.hash.expose().into(),
            i64::from(credential.failures).into(),
            credential.updated_at.as_millis().into(),
        ])
        .on_conflict(
            OnConflict::column(Credentials::UserId)
                .update_columns([
                    Credentials::Hash,
                    Credentials::Failures,
                    Credentials::UpdatedAt,
                ])
                .to_owned(),
        )
        .take();
    db.execute(&insert).await.map(drop)
}

pub(super) async fn clear_failures(
    db: &Connection<'_>,
    user: UserId,
    rehashed: Option<&PasswordHash>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut update = Query::update()
        .table(Credentials::Table)
        .value(Credentials::Failures, 0_i64)
        .and_where(Credentials::UserId.col().eq(bytes(user)))
        .take();
    if let Some(hash) = rehashed {
        update
            .value(Credentials::Hash, hash.expose())
            .value(Credentials::UpdatedAt, now.as_millis());
    }
    db.execute(&update).await.map(drop)
}
