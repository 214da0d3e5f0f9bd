//! Deleting what has outlived its use, in batches small enough to hold no lock
//! for long.

use countersign_domain::model::{KeyState, UserState};
use countersign_domain::ports::{Horizon, StoreError};
use sea_orm::sea_query::{Cond, ExprTrait as _, Query};

use super::connection::Connection;
use super::sessions::day;
use super::tables::{Column, Revocations, Sessions, SigningKeys, Users};

/// How many rows one statement deletes at most.
const BATCH: u64 = 500;

pub(super) async fn delete_expired(
    db: &Connection<'_>,
    horizon: Horizon,
    limit: u32,
) -> Result<u64, StoreError> {
    let now = horizon.now.as_millis();
    let ended = horizon.sessions_before.as_millis();
    let limit = u64::from(limit);

    let over_sessions = Cond::all()
        .add(Sessions::OverDay.col().lte(day(horizon.sessions_before)))
        .add(
            Cond::any()
                .add(Sessions::ExpiresAt.col().lt(ended))
                .add(Sessions::RevokedAt.col().lt(ended)),
        );
    let stale_users = Cond::all()
        .add(Users::State.col().eq(UserState::Pending.as_str()))
        .add(
            Users::CreatedAt
                .col()
                .lt(horizon.pending_before.as_millis()),
        );
    let old_revocations = Cond::all().add(Revocations::ExpiresAt.col().lt(now));
    let old_keys = Cond::all()
        .add(SigningKeys::State.col().eq(KeyState::Retired.as_str()))
        .add(SigningKeys::ExpiresAt.col().lt(now));

    let sessions = delete(db, Sessions::Id, &over_sessions, limit).await?;
    let users = delete(db, Users::Id, &stale_users, limit).await?;
    let revocations = delete(db, Revocations::SessionId, &old_revocations, limit).await?;
    let keys = delete(db, SigningKeys::Kid, &old_keys, limit).await?;
    Ok(sessions + users + revocations + keys)
}

/// Deletes rows that meet the condition, at most `limit` of them.
///
/// MySQL takes a LIMIT in a subquery only one level down. The condition is
/// asked again outside: a user may have been activated since the ids were read.
async fn delete<C: Column>(
    db: &Connection<'_>,
    id: C,
    condition: &Cond,
    limit: u64,
) -> Result<u64, StoreError> {
    let mut deleted = 0;
    while deleted < limit {
        let size = Ord::min(BATCH, limit - deleted);
        let batch = Query::select()
            .expr(id.col())
            .from(C::TABLE)
            .cond_where(condition.clone())
            .limit(size)
            .take();
        let ids = Query::select()
            .column(("batch", id))
            .from_subquery(batch, "batch")
            .take();
        let delete = Query::delete()
            .from_table(C::TABLE)
            .and_where(id.col().in_subquery(ids))
            .cond_where(condition.clone())
            .take();
        let rows = db.execute(&delete).await?;
        deleted += rows;
        if rows < size {
            break;
        }
    }
    Ok(deleted)
}
