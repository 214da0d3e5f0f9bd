//! How a question gets to the database: a small pool, a time limit, and another try
//! where a connection turns out to be lost.

use std::time::Duration;

use countersign_domain::ports::ExistingUsersError;
use deadpool::managed::{Manager, Metrics, Object, Pool, PoolError, RecycleResult};
use sea_orm::sea_query::{SelectStatement, Values};
use sqlx::Error;
use tokio::time::timeout;

use crate::driver::{Cell, Driver, Endpoint};
use crate::error::{is_lost, meaning, unavailable};
use crate::mysql;

/// Connections at once. A lookup takes a millisecond or so.
const CONNECTIONS: usize = 4;

/// Opens the connections of the pool. One that comes back is not tested: a question
/// may be repeated, and finds out itself.
pub(crate) struct Opener(Endpoint);

impl Manager for Opener {
    type Type = Driver;
    type Error = Error;

    async fn create(&self) -> Result<Driver, Error> {
        Driver::connect(&self.0).await
    }

    async fn recycle(&self, _: &mut Driver, _: &Metrics) -> RecycleResult<Error> {
        Ok(())
    }
}

/// What is asked.
#[derive(Clone, Copy)]
pub(crate) enum Question<'a> {
    /// The rows of a statement all of whose columns are texts.
    Rows(&'a SelectStatement),
    /// The types of the columns of a statement, in one row.
    Types(&'a SelectStatement),
    /// The collation of a column, of MySQL.
    Collation(&'a Values),
}

/// The connections to a database. None is opened before it is needed.
pub(crate) struct Connections(Pool<Opener>);

/// A connection on loan. Dropped in the middle of an answer it does not go back.
struct Lease(Option<Object<Opener>>);

impl Connections {
    pub(crate) fn new(endpoint: Endpoint) -> Self {
        let pool = Pool::builder(Opener(endpoint)).max_size(CONNECTIONS);
        Self(pool.build().expect("no time limits that need a runtime"))
    }

    /// Asks within a time limit. It may be asked more than once: if a connection is
    /// lost, others may have been lost with it.
    pub(crate) async fn ask(
        &self,
        limit: Duration,
        question: Question<'_>,
    ) -> Result<Vec<Vec<Cell>>, ExistingUsersError> {
        let answer = timeout(limit, self.answer(question)).await;
        answer.unwrap_or_else(|_| Err(unavailable("it did not answer in time")))
    }

    async fn answer(&self, question: Question<'_>) -> Result<Vec<Vec<Cell>>, ExistingUsersError> {
        let mut lost = 0;
        loop {
            let object = self.0.get().await.map_err(|error| not_lent(&error))?;
            let mut lease = Lease(Some(object));
            match lease.answer(question).await {
                Err(error) if is_lost(&error) => {
                    lost += 1;
                    if lost > CONNECTIONS {
                        return Err(meaning(&error));
                    }
                }
                answer => {
                    lease.0.take();
                    return answer.map_err(|error| meaning(&error));
                }
            }
        }
    }
}

impl Lease {
    async fn answer(&mut self, question: Question<'_>) -> Result<Vec<Vec<Cell>>, Error> {
        let driver = self.0.as_mut().ok_or(Error::PoolClosed)?;
        match question {
            Question::Rows(statement) => driver.rows(statement).await,
            Question::Types(statement) => driver.types(statement).await,
            Question::Collation(values) => {
                driver.texts(mysql::SELECT_COLLATION, values.clone()).await
            }
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(Object::take(object));
        }
    }
}

fn not_lent(error: &PoolError<Error>) -> ExistingUsersError {
    match error {
        PoolError::Backend(error) => meaning(error),
        _ => unavailable("no connection came free"),
    }
}
