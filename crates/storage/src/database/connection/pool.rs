//! The pool that lends connections out, and a connection on loan.
//!
//! Nobody waits for the dead: a connection that is lost, or whose statement was
//! not answered, is dropped without a goodbye, and one that comes back untidy
//! is tidied up within a time limit before the next one gets it.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use deadpool::managed::{
    Manager, Metrics, Object, Pool, PoolError, RecycleError, RecycleResult, Timeouts,
};
use metrics::{Counter, Histogram, counter, histogram};
use sea_orm::DbErr;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::managed::{Connection, Opener};
use crate::database::dialect::Dialect;
use crate::database::error::no_answer;
use crate::database::monotonic;

/// How often closing looks whether the last call has ended.
const CLOSE_PAUSE: Duration = Duration::from_millis(10);
/// Takes what is there at once.
const AT_ONCE: Timeouts = Timeouts {
    wait: Some(Duration::ZERO),
    create: None,
    recycle: None,
};

/// Opens the pool's connections, and tells whether one may be lent out again.
pub(in crate::database) struct ConnectionManager {
    opener: Arc<Opener>,
}

impl Manager for ConnectionManager {
    type Type = Connection;
    type Error = DbErr;

    async fn create(&self) -> Result<Connection, DbErr> {
        // Seldom needed, and otherwise three quarters of every statement's future.
        Box::pin(Connection::open(&self.opener)).await
    }

    async fn recycle(&self, connection: &mut Connection, _: &Metrics) -> RecycleResult<DbErr> {
        if connection.is_fit().await {
            Ok(())
        } else {
            Err(RecycleError::message("the connection is not fit for use"))
        }
    }
}

/// Lends connections out.
#[derive(Clone)]
pub(in crate::database) struct ConnectionPool {
    pool: Pool<ConnectionManager>,
    opener: Arc<Opener>,
    acquire_timeout: Duration,
    name: &'static str,
    /// How long a connection was waited for.
    wait: Histogram,
    /// How often none came free in time.
    timeouts: Counter,
}

/// What a pool holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolReading {
    /// What it is for: `shared`, `reader` or `writer`.
    pub pool: &'static str,
    /// Open connections that nobody uses.
    pub idle: usize,
    /// Connections that are used or being opened.
    pub in_use: usize,
    /// How many there may be.
    pub most: usize,
    /// Statements that wait for a connection.
    pub waiting: usize,
}

/// A connection on loan. It goes back when this is dropped.
pub(in crate::database) struct Lease(Option<Object<ConnectionManager>>);

impl ConnectionPool {
    pub(super) fn new(
        name: &'static str,
        opener: Arc<Opener>,
        size: u32,
        acquire_timeout: Duration,
    ) -> Self {
        let manager = ConnectionManager {
            opener: Arc::clone(&opener),
        };
        let pool = Pool::builder(manager)
            .max_size(size.max(1) as usize)
            .build()
            .expect("a pool without time limits of its own needs no runtime");
        Self {
            pool,
            opener,
            acquire_timeout,
            name,
            wait: histogram!("countersign_database_connection_wait_seconds", "pool" => name),
            timeouts: counter!("countersign_database_connection_timeouts_total", "pool" => name),
        }
    }

    pub(in crate::database) fn dialect(&self) -> &'static Dialect {
        self.opener.dialect()
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn reading(&self) -> PoolReading {
        let status = self.pool.status();
        PoolReading {
            pool: self.name,
            idle: status.available,
            in_use: status.size.saturating_sub(status.available),
            most: status.max_size,
            waiting: status.waiting,
        }
    }

    /// A connection, within the time for that.
    pub(in crate::database) async fn get(&self) -> Result<Lease, DbErr> {
        self.opener.check()?;
        let began = monotonic::now();
        let outcome = timeout(self.acquire_timeout, self.pool.get()).await;
        self.wait.record(monotonic::since(began).as_secs_f64());
        match outcome {
            Ok(Ok(object)) => Ok(Lease(Some(object))),
            Ok(Err(PoolError::Backend(error))) => Err(error),
            Ok(Err(_)) => Err(no_answer("the store is closed")),
            Err(_) => {
                self.timeouts.increment(1);
                Err(no_answer("no connection came free"))
            }
        }
    }

    /// Tests the connections that nobody uses and that were not tested for
    /// `period`, all at once, and closes the outdated ones. What fails is
    /// replaced when it is needed.
    pub(super) async fn probe(&self, period: Duration) {
        let outdated = self.pool.retain(|connection, _| !connection.is_outdated());
        let mut tasks = JoinSet::new();
        for connection in outdated.removed {
            tasks.spawn(connection.close());
        }
        // First in, first out: each is taken once.
        for _ in 0..outdated.retained {
            let Ok(object) = self.pool.timeout_get(&AT_ONCE).await else {
                break;
            };
            let mut lease = Lease(Some(object));
            if lease.untested() >= period {
                tasks.spawn(async move {
                    lease.test().await;
                });
            }
        }
        while tasks.join_next().await.is_some() {}
    }

    /// Closes all connections, each after the call that uses it.
    pub(super) async fn close(&self) {
        for connection in self.pool.retain(|_, _| false).removed {
            connection.close().await;
        }
        self.pool.close();
        while self.pool.status().size > 0 {
            sleep(CLOSE_PAUSE).await;
        }
    }
}

impl Lease {
    /// Does not give the connection back, unless the data live in it.
    pub(in crate::database) fn discard(mut self) {
        if self.is_disposable()
            && let Some(object) = self.0.take()
        {
            drop(Object::take(object));
        }
    }
}

impl Deref for Lease {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.0.as_ref().expect("it is there until it is dropped")
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Connection {
        self.0.as_mut().expect("it is there until it is dropped")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(mut object) = self.0.take() else {
            return;
        };
        if object.is_broken() {
            drop(Object::take(object));
        } else if object.is_untidy() {
            let Ok(runtime) = Handle::try_current() else {
                drop(Object::take(object));
                return;
            };
            runtime.spawn(async move {
                if !object.tidy().await && object.is_broken() {
                    drop(Object::take(object));
                }
            });
        }
    }
}
