//! A pool that opens connections anew which a server or a network has let die.
//!
//! As long as none was lost, nothing is tested and a statement costs one round
//! trip. A dead connection is replaced in its place in the pool: the pool's own
//! way is to close it first, and to close a TLS connection politely means to
//! wait for an answer from the dead.

use std::future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::{Pool, PoolOptions};
use sqlx::{AssertSqlSafe, Connection, Database, Error, Executor};

use super::lost_connections::LostConnections;
use super::settings::DatabaseSettings;

/// How long a connection may take to show that it is alive.
const TEST_TIMEOUT: Duration = Duration::from_secs(2);
/// For how long after a loss connections are tested on their way back.
const WARY_FOR: Duration = Duration::from_secs(10);
/// How long opening may take on the way back, and the pause after a failure.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);
const OPEN_PAUSE: Duration = Duration::from_millis(200);

/// Knows how to open a connection.
pub(super) struct Opener<C: Connection> {
    options: C::Options,
    /// Statements that a new connection begins with.
    setup: Vec<String>,
}

impl<C> Opener<C>
where
    C: Connection,
    for<'c> &'c mut C: Executor<'c>,
{
    pub(super) fn new(options: C::Options, setup: Vec<String>) -> Self {
        Self { options, setup }
    }

    /// Opens a connection. Boxed, or the compiler could not tell that callers
    /// may be sent between threads.
    pub(super) fn open(&self) -> Pin<Box<dyn Future<Output = Result<C, Error>> + Send + '_>> {
        Box::pin(async {
            let mut connection = C::connect_with(&self.options).await?;
            self.set_up(&mut connection).await?;
            Ok(connection)
        })
    }

    async fn set_up(&self, connection: &mut C) -> Result<(), Error> {
        for statement in &self.setup {
            let statement = AssertSqlSafe(statement.as_str().to_owned());
            connection.execute(statement).await?;
        }
        Ok(())
    }

    /// Puts a new connection in the place of one that is dead.
    async fn replace_if_dead(&self, connection: &mut C) -> Result<(), Error> {
        if !is_alive(connection).await {
            *connection = self.open().await?;
        }
        Ok(())
    }

    /// Likewise, trying until it succeeds: meanwhile nobody could use the place
    /// in the pool.
    async fn surely_replace_if_dead(&self, connection: &mut C) {
        if is_alive(connection).await {
            return;
        }
        loop {
            if let Ok(Ok(new)) = tokio::time::timeout(OPEN_TIMEOUT, self.open()).await {
                *connection = new;
                return;
            }
            tokio::time::sleep(OPEN_PAUSE).await;
        }
    }
}

async fn is_alive<C: Connection>(connection: &mut C) -> bool {
    let answer = tokio::time::timeout(TEST_TIMEOUT, connection.ping()).await;
    matches!(answer, Ok(Ok(())))
}

/// The pool of a server's connections.
pub(super) fn reopening_pool<DB>(
    settings: &DatabaseSettings,
    opener: Opener<DB::Connection>,
    lost: &Arc<LostConnections>,
) -> Pool<DB>
where
    DB: Database,
    for<'c> &'c mut DB::Connection: Executor<'c>,
{
    let options = opener.options.clone();
    let opener = Arc::new(opener);
    let (opener_of_new, opener_before_use) = (Arc::clone(&opener), Arc::clone(&opener));
    let (lost_before_use, lost_before_return) = (Arc::clone(lost), Arc::clone(lost));
    PoolOptions::new()
        .max_connections(settings.max_connections.max(1))
        .acquire_timeout(settings.acquire_timeout)
        .test_before_acquire(false)
        .after_connect(move |connection, _| {
            let opener = Arc::clone(&opener_of_new);
            Box::pin(async move { opener.set_up(connection).await })
        })
        .before_acquire(move |connection, meta| {
            if !lost_before_use.within(meta.idle_for) {
                return Box::pin(future::ready(Ok(true)));
            }
            let opener = Arc::clone(&opener_before_use);
            Box::pin(async move { opener.replace_if_dead(connection).await.map(|()| true) })
        })
        .after_release(move |connection, _| {
            if !lost_before_return.within(WARY_FOR) {
                return Box::pin(future::ready(Ok(true)));
            }
            let opener = Arc::clone(&opener);
            Box::pin(async move {
                opener.surely_replace_if_dead(connection).await;
                Ok(true)
            })
        })
        .connect_lazy_with(options)
}
