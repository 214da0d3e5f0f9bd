//! Spending refresh tokens: one conditional statement for one session, and one
//! commit for many.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use async_trait::async_trait;
use countersign_domain::model::{Rotation, SessionId};
use countersign_domain::ports::{StoreError, UnitOfWork as _};
use sea_orm::sea_query::{ArrayType, Value};
use sea_orm::{ConnectionTrait as _, DbBackend, DbErr, Statement};

use super::{GroupCommit, PendingAnswer, fail_batch};
use crate::batcher::{Batcher, ExecuteBatch};
use crate::database::connection::{ConnectionPool, Db, PinnedConnection};
use crate::database::dialect::Rotations;
use crate::database::error::{is_about_a_row, no_answer, store_error};
use crate::database::tables::sessions::{self, expiry_day};
use crate::database::unit_of_work::SqlUnitOfWork;

type Request = (SessionId, Rotation);
type PendingRotation = PendingAnswer<Request, bool>;

/// Rotates the sessions of a batch. Each request is answered as
/// [`sessions::rotate`] would answer it alone.
pub(in crate::database) struct RotationBatches {
    pub(in crate::database) pool: ConnectionPool,
    pub(in crate::database) pinned: Option<PinnedConnection>,
    /// How long a statement is waited for.
    pub(in crate::database) patience: Duration,
}

impl RotationBatches {
    pub(in crate::database) fn start(self, patience: Duration) -> GroupCommit<Request, bool> {
        Batcher::start(patience, self)
    }

    /// Each as a task: one that waits for a lock does not keep the others
    /// waiting.
    fn rotate_one_by_one(&self, batch: Vec<PendingRotation>) {
        for pending in batch {
            let pool = self.pool.clone();
            tokio::spawn(async move {
                let (id, rotation) = pending.request;
                let rotated = sessions::rotate(&Db::pool(&pool), id, rotation).await;
                pending.answer(rotated.map_err(store_error));
            });
        }
    }

    /// Many changes in one transaction, one sync.
    async fn rotate_in_one_transaction(&self, batch: Vec<PendingRotation>) {
        let rotate_all = async {
            let unit = SqlUnitOfWork::begin(&self.pool, self.patience).await?;
            let mut rotated = Vec::with_capacity(batch.len());
            for pending in &batch {
                let (id, rotation) = pending.request;
                match sessions::rotate(&unit.db(), id, rotation).await {
                    Ok(was_rotated) => rotated.push(was_rotated),
                    // It is refused, and with it all: which, each hears alone.
                    Err(error) if is_about_a_row(&error) => return Ok(None),
                    Err(error) => return Err(store_error(error)),
                }
            }
            Box::new(unit).commit().await?;
            Ok(Some(rotated))
        };
        match rotate_all.await {
            Ok(Some(rotated)) => {
                for (pending, was_rotated) in batch.into_iter().zip(rotated) {
                    pending.answer(Ok(was_rotated));
                }
            }
            Ok(None) => self.rotate_one_by_one(batch),
            Err(error) => fail_batch(batch, &error),
        }
    }

    /// Rotates in one statement what can be rotated at once, and the rest one
    /// by one: second requests for the same session, rows that somebody has
    /// locked, and those who have lost, who must hear it from a statement of
    /// their own.
    async fn rotate_in_one_statement(
        &self,
        connection: &PinnedConnection,
        batch: Vec<PendingRotation>,
    ) {
        let mut firsts = HashMap::new();
        let mut rest = Vec::new();
        for pending in batch {
            let (id, _) = pending.request;
            if let Some(earlier) = firsts.insert(id, pending) {
                rest.push(earlier);
            }
        }
        let requests: Vec<_> = firsts.values().map(|pending| pending.request).collect();
        match rotate_set(&Db::pinned_changes(connection), &requests).await {
            Ok(rotated) => {
                for (id, pending) in firsts {
                    if rotated.contains(&id) {
                        pending.answer(Ok(true));
                    } else {
                        rest.push(pending);
                    }
                }
            }
            Err(error) if is_about_a_row(&error) => rest.extend(firsts.into_values()),
            // What became of them is not known: they may have been rotated, and
            // a second try would call that a no.
            Err(error) => {
                fail_batch(firsts.into_values().collect(), &store_error(error));
            }
        }
        self.rotate_one_by_one(rest);
    }
}

#[async_trait]
impl ExecuteBatch<Request, Result<bool, StoreError>> for RotationBatches {
    async fn execute_batch(&self, batch: Vec<PendingRotation>) {
        match (self.pool.dialect().rotations, &self.pinned) {
            (Rotations::Set, Some(connection)) => {
                self.rotate_in_one_statement(connection, batch).await;
            }
            (Rotations::Transaction, _) => self.rotate_in_one_transaction(batch).await,
            (Rotations::Set | Rotations::Single, _) => self.rotate_one_by_one(batch),
        }
    }
}

/// PostgreSQL only. Rows that are locked are skipped, not waited for: neither
/// can batches deadlock nor can one stuck session hold the others up.
async fn rotate_set(db: &Db<'_>, requests: &[Request]) -> Result<HashSet<SessionId>, DbErr> {
    const SQL: &str = "\
        WITH requested AS ( \
            SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], \
                $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[]) \
            AS requested (id, was, authenticated_at, generation, parent, minted_at, \
                access_expires_at, expires_at, expiry_day) \
        ), free AS ( \
            SELECT sessions.id FROM sessions JOIN requested ON requested.id = sessions.id \
            WHERE sessions.generation = requested.was AND sessions.revoked_at IS NULL \
                AND COALESCE(sessions.authenticated_at, sessions.created_at) \
                    = requested.authenticated_at \
            FOR UPDATE OF sessions SKIP LOCKED \
        ) \
        UPDATE sessions SET generation = requested.generation, parent = requested.parent, \
            minted_at = requested.minted_at, access_expires_at = requested.access_expires_at, \
            expires_at = requested.expires_at, expiry_day = requested.expiry_day \
        FROM requested JOIN free ON free.id = requested.id \
        WHERE sessions.id = requested.id AND sessions.generation = requested.was \
            AND sessions.revoked_at IS NULL \
            AND COALESCE(sessions.authenticated_at, sessions.created_at) \
                = requested.authenticated_at \
        RETURNING sessions.id";
    let numbers = |number: fn(&Rotation) -> i64| {
        let values = requests.iter().map(|(_, rotation)| number(rotation).into());
        array(ArrayType::BigInt, values.collect())
    };
    let ids = requests.iter().map(|(id, _)| sessions::bytes(*id).into());
    let values = [
        array(ArrayType::Bytes, ids.collect()),
        numbers(|rotation| rotation.from),
        numbers(|rotation| rotation.authenticated_at.as_millis()),
        numbers(|rotation| rotation.to),
        numbers(|rotation| rotation.parent),
        numbers(|rotation| rotation.minted_at.as_millis()),
        numbers(|rotation| rotation.access_expires_at.as_millis()),
        numbers(|rotation| rotation.expires_at.as_millis()),
        numbers(|rotation| expiry_day(rotation.expires_at)),
    ];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, SQL, values);
    let statements = db.statement("sessions.rotate_set");
    let rows = statements.query_all_raw(statement).await;
    let ids = rows?.into_iter().map(|row| {
        let id = sessions::id_of(&row);
        id.map_err(|error| no_answer(error.to_string()))
    });
    ids.collect()
}

fn array(of: ArrayType, values: Vec<Value>) -> Value {
    Value::Array(of, Some(Box::new(values)))
}
