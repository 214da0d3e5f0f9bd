//! Queuing messages: many rows in one statement.

use std::time::Duration;

use async_trait::async_trait;
use countersign_domain::model::QueuedMessage;
use countersign_domain::ports::StoreError;
use sea_orm::sea_query::{ArrayType, Value};
use sea_orm::{
    ConnectionTrait as _, DbBackend, DbErr, EntityTrait as _, IntoActiveModel as _, Statement,
};

use super::{GroupCommit, PendingAnswer, fail_batch};
use crate::batcher::{Batcher, ExecuteBatch};
use crate::database::connection::{ConnectionPool, Db, PinnedConnection};
use crate::database::error::{change_error, is_about_a_row};
use crate::database::tables::outbox;

type PendingMessage = PendingAnswer<QueuedMessage, ()>;

/// How much one statement carries, unless a single message is larger. The driver
/// leaves Nagle's algorithm on: what does not fit into one segment waits for an
/// acknowledgement, which on a loopback comes 40 ms later.
const LARGEST_STATEMENT: usize = 12 * 1024;
/// What a row adds to its message.
const ROW_OVERHEAD: usize = 128;

/// Queues the messages of a batch.
pub(in crate::database) struct MessageBatches {
    pub(in crate::database) pool: ConnectionPool,
    pub(in crate::database) pinned: Option<PinnedConnection>,
}

impl MessageBatches {
    pub(in crate::database) fn start(self, patience: Duration) -> GroupCommit<QueuedMessage, ()> {
        Batcher::start(patience, self)
    }

    async fn insert(&self, batch: &[PendingMessage]) -> Result<(), DbErr> {
        let rows: Vec<_> = batch
            .iter()
            .map(|pending| outbox::Model::from(&pending.request))
            .collect();
        match &self.pinned {
            Some(connection) => insert_set(&Db::pinned_changes(connection), &rows).await,
            None => {
                let rows = rows.into_iter().map(outbox::Model::into_active_model);
                let db = Db::pool(&self.pool).statement("outbox.insert_set");
                let inserted = outbox::Entity::insert_many(rows)
                    .exec_without_returning(&db)
                    .await;
                inserted.map(drop)
            }
        }
    }
}

#[async_trait]
impl ExecuteBatch<QueuedMessage, Result<(), StoreError>> for MessageBatches {
    async fn execute_batch(&self, batch: Vec<PendingMessage>) {
        for statement in split(batch) {
            self.execute_statement(statement).await;
        }
    }
}

impl MessageBatches {
    async fn execute_statement(&self, batch: Vec<PendingMessage>) {
        match self.insert(&batch).await {
            Ok(()) => {
                for pending in batch {
                    pending.answer(Ok(()));
                }
            }
            // One of them is refused, and with it all: each tries alone.
            Err(error) if is_about_a_row(&error) => {
                for pending in batch {
                    let pool = self.pool.clone();
                    tokio::spawn(async move {
                        let inserted = outbox::insert(&Db::pool(&pool), &pending.request).await;
                        pending.answer(inserted.map_err(change_error));
                    });
                }
            }
            Err(error) => fail_batch(batch, &change_error(error)),
        }
    }
}

/// Splits a batch into what statements can carry.
fn split(batch: Vec<PendingMessage>) -> Vec<Vec<PendingMessage>> {
    let mut statements = Vec::new();
    let mut statement = Vec::new();
    let mut size = 0;
    for pending in batch {
        let added = pending.request.sealed.len() + ROW_OVERHEAD;
        if size + added > LARGEST_STATEMENT && !statement.is_empty() {
            statements.push(std::mem::take(&mut statement));
            size = 0;
        }
        size += added;
        statement.push(pending);
    }
    statements.push(statement);
    statements
}

/// PostgreSQL only: one prepared statement for batches of any size.
async fn insert_set(db: &Db<'_>, rows: &[outbox::Model]) -> Result<(), DbErr> {
    const SQL: &str = "\
        INSERT INTO outbox (id, kind, state, sealed, attempts, due_at, created_at, expires_at) \
        SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::bytea[], $5::bigint[], \
            $6::bigint[], $7::bigint[], $8::bigint[])";
    fn column<T: Into<Value>>(
        of: ArrayType,
        rows: &[outbox::Model],
        value: impl Fn(&outbox::Model) -> T,
    ) -> Value {
        let values = rows.iter().map(|row| value(row).into()).collect();
        Value::Array(of, Some(Box::new(values)))
    }
    let values = [
        column(ArrayType::Bytes, rows, |row| row.id.clone()),
        column(ArrayType::String, rows, |row| row.kind.clone()),
        column(ArrayType::String, rows, |row| row.state.clone()),
        column(ArrayType::Bytes, rows, |row| row.sealed.clone()),
        column(ArrayType::BigInt, rows, |row| row.attempts),
        column(ArrayType::BigInt, rows, |row| row.due_at),
        column(ArrayType::BigInt, rows, |row| row.created_at),
        column(ArrayType::BigInt, rows, |row| row.expires_at),
    ];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, SQL, values);
    let statements = db.statement("outbox.insert_set");
    statements.query_all_raw(statement).await.map(drop)
}
