//! A connection that is kept between batches, outside the pool's count. The pool
//! would hand it over each time, and a batch would wait for it behind the calls
//! that wait for the batch.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{DbErr, QueryResult, Statement};
use tokio::sync::Mutex;

use super::managed::{Connection, Opener};
use crate::database::dialect::Dialect;

/// The connection of those who come one after another.
#[derive(Clone)]
pub(in crate::database) struct PinnedConnection {
    opener: Arc<Opener>,
    kept: Arc<Mutex<Option<Connection>>>,
}

impl PinnedConnection {
    pub(super) fn new(opener: Arc<Opener>) -> Self {
        Self {
            opener,
            kept: Arc::new(Mutex::new(None)),
        }
    }

    pub(super) fn dialect(&self) -> &'static Dialect {
        self.opener.dialect()
    }

    /// All rows of a statement. One that `is_repeatable` is sent again on a new
    /// connection if the kept one turns out to be lost; what became of another
    /// is unknown then, and it is not.
    ///
    /// # Errors
    /// If the database fails, or does not answer in time.
    pub(super) async fn rows(
        &self,
        statement: &Statement,
        is_repeatable: bool,
    ) -> Result<Vec<QueryResult>, DbErr> {
        // Taken out: if this is dropped half-way, the connection is too.
        let mut kept = self.kept.lock().await;
        if let Some(mut connection) = kept.take()
            && connection.is_fit().await
        {
            let rows = connection.rows(statement).await;
            if !connection.is_broken() {
                *kept = Some(connection);
                return rows;
            }
            if !is_repeatable || connection.is_overdue() {
                return rows;
            }
        }
        let mut connection = Connection::open(&self.opener).await?;
        let rows = connection.rows(statement).await;
        if !connection.is_broken() {
            *kept = Some(connection);
        }
        rows
    }

    /// Tests the connection if it was not tested for `period`, and closes an
    /// outdated one.
    pub(super) async fn probe(&self, period: Duration) {
        let Ok(mut kept) = self.kept.try_lock() else {
            return;
        };
        let Some(mut connection) = kept.take() else {
            return;
        };
        if connection.is_outdated() {
            connection.close().await;
        } else if connection.untested() < period || connection.test().await {
            *kept = Some(connection);
        }
    }

    pub(super) async fn close(&self) {
        if let Some(connection) = self.kept.lock().await.take() {
            connection.close().await;
        }
    }
}
