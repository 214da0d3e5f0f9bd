//! Reading many sessions and their users in one statement.

use std::time::Duration;

use async_trait::async_trait;
use countersign_domain::model::{Session, SessionId, User};
use countersign_domain::ports::StoreError;

use super::{GroupCommit, PendingAnswer, fail_batch};
use crate::batcher::{Batcher, ExecuteBatch};
use crate::database::connection::{ConnectionPool, Db, PinnedConnection};
use crate::database::tables::sessions_with_users::with_users;

type Found = Option<(Session, User)>;

/// Reads the sessions of a batch.
pub(in crate::database) struct SessionBatches {
    pub(in crate::database) pool: ConnectionPool,
    pub(in crate::database) pinned: Option<PinnedConnection>,
}

impl SessionBatches {
    pub(in crate::database) fn start(self, patience: Duration) -> GroupCommit<SessionId, Found> {
        Batcher::start(patience, self)
    }
}

#[async_trait]
impl ExecuteBatch<SessionId, Result<Found, StoreError>> for SessionBatches {
    /// One that cannot be read spoils no other.
    async fn execute_batch(&self, batch: Vec<PendingAnswer<SessionId, Found>>) {
        let db = match &self.pinned {
            Some(connection) => Db::pinned_reads(connection),
            None => Db::pool(&self.pool),
        };
        let ids: Vec<_> = batch.iter().map(|pending| pending.request).collect();
        match with_users(&db, &ids).await {
            Ok(found) => {
                for pending in batch {
                    let answer = found.get(&pending.request).cloned().transpose();
                    pending.answer(answer);
                }
            }
            Err(error) => fail_batch(batch, &error),
        }
    }
}
