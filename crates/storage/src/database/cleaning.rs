//! Deleting what has outlived its use, in batches small enough to hold no lock
//! for long. Every condition is one range of an index, so that the work does
//! not grow with the table.

use countersign_domain::model::{AuditEventId, KeyState};
use countersign_domain::ports::{Retention, StoreError};
use sea_orm::sea_query::{Cond, Condition, DeleteStatement, Expr, LockBehavior, LockType, Query};
use sea_orm::{ColumnTrait, ConnectionTrait as _};

use super::connection::Db;
use super::dialect::BatchedDeletes;
use super::error::store_error;
use super::tables::{
    audit_events, devices, identifier_undos, outbox, revocations, sessions, signing_keys,
    tombstones,
};

/// How many rows one statement deletes at most.
const BATCH: u64 = 500;

/// Deletes at most `limit` rows of each kind, and tells how many. Sessions go
/// when the day on which they ended is over: an index by the hour would be
/// written with every refresh.
pub(super) async fn delete_expired(
    db: &Db<'_>,
    retention: Retention,
    limit: u32,
) -> Result<u64, StoreError> {
    let limit = u64::from(limit);
    let now = retention.now.as_millis();
    let ended_before = sessions::expiry_day(retention.sessions_before);
    let ended_sessions = Cond::all().add(sessions::Column::ExpiryDay.lt(ended_before));
    let old_revocations = Cond::all().add(revocations::Column::ExpiresAt.lt(now));
    let old_messages = Cond::all().add(outbox::Column::ExpiresAt.lt(now));
    let old_devices = Cond::all().add(devices::Column::ExpiresAt.lt(now));
    let old_undos = Cond::all().add(identifier_undos::Column::ExpiresAt.lt(now));
    let old_tombstones = Cond::all().add(tombstones::Column::ExpiresAt.lt(now));
    let last_kept = AuditEventId::lower_bound(retention.audit_before).to_vec();
    let old_events = Cond::all().add(audit_events::Column::Id.lt(last_kept));
    let old_keys = Cond::all()
        .add(signing_keys::Column::State.eq(KeyState::Retired.as_str()))
        .add(signing_keys::Column::ExpiresAt.lt(now));

    let deleted = [
        Deletion {
            name: "sessions.delete_ended",
            id: sessions::Column::Id,
            which: ended_sessions,
        }
        .run(db, limit)
        .await?,
        Deletion {
            name: "revocations.delete_expired",
            id: revocations::Column::SessionId,
            which: old_revocations,
        }
        .run(db, limit)
        .await?,
        Deletion {
            name: "outbox.delete_expired",
            id: outbox::Column::Id,
            which: old_messages,
        }
        .run(db, limit)
        .await?,
        Deletion {
            name: "devices.delete_expired",
            id: devices::Column::Digest,
            which: old_devices,
        }
        .run(db, limit)
        .await?,
        Deletion {
            name: "identifier_undos.delete_expired",
            id: identifier_undos::Column::Digest,
            which: old_undos,
        }
        .run(db, limit)
        .await?,
        Deletion {
            name: "tombstones.delete_expired",
            id: tombstones::Column::Digest,
            which: old_tombstones,
        }
        .run(db, limit)
        .await?,
        Deletion {
            name: "audit_events.delete_old",
            id: audit_events::Column::Id,
            which: old_events,
        }
        .run(db, limit)
        .await?,
        Deletion {
            name: "signing_keys.delete_expired",
            id: signing_keys::Column::Kid,
            which: old_keys,
        }
        .run(db, limit)
        .await?,
    ];
    Ok(deleted.into_iter().sum())
}

/// What is to be deleted of a table.
struct Deletion<C> {
    name: &'static str,
    id: C,
    which: Condition,
}

impl<C: ColumnTrait> Deletion<C> {
    async fn run(&self, db: &Db<'_>, limit: u64) -> Result<u64, StoreError> {
        let mut deleted = 0;
        while deleted < limit {
            let size = Ord::min(BATCH, limit - deleted);
            let statement = self.statement(db.dialect().batched_deletes, size);
            let done = db.statement(self.name).execute(&statement).await;
            let rows = done.map_err(store_error)?.rows_affected();
            deleted += rows;
            if rows < size {
                break;
            }
        }
        Ok(deleted)
    }

    /// The condition is asked again outside of a subselect: a row may have
    /// changed since its id was read.
    fn statement(&self, deletes: BatchedDeletes, size: u64) -> DeleteStatement {
        let table = self.id.entity_name();
        let mut delete = Query::delete()
            .from_table(table.clone())
            .cond_where(self.which.clone())
            .take();
        if deletes == BatchedDeletes::Limit {
            return delete.limit(size).take();
        }
        let mut ids = Query::select()
            .column(self.id)
            .from(table)
            .cond_where(self.which.clone())
            .limit(size)
            .take();
        if deletes == BatchedDeletes::Subselect {
            return delete.and_where(self.id.in_subquery(ids)).take();
        }
        // As an array, so that PostgreSQL surely selects them once.
        ids.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
        let ids = Expr::SubQuery(None, Box::new(ids.into()));
        let id = self.id.into_expr();
        let is_one_of_them = Expr::cust_with_exprs("$1 = ANY (ARRAY $2)", [id, ids]);
        delete.and_where(is_one_of_them).take()
    }
}
