//! The floor of SendCode with a message: one row of the outbox and one durable
//! commit a time, on a table of the same shape; by the same driver and, where
//! there is one, by pgbench.

use std::time::Duration;

use sqlx::PgConnection;

use crate::closed_loop::{Client, Step, Target, drive, runtime};
use crate::connections::Connections;
use crate::database::{Connection, postgres};
use crate::failure::{Context as _, Failure};
use crate::pgbench;
use crate::sample::{Sample, Stopwatch};

/// Clients of the floor, each with a connection: more of them gain nothing.
const CLIENTS: usize = 32;

/// The size of a sealed message with a code.
const SEALED: usize = 200;

/// Ids that rise, as those of messages do.
const INSERT: &str = "\
INSERT INTO floor (id, kind, state, sealed, attempts, due_at, created_at, expires_at) \
VALUES (decode(lpad(to_hex(nextval('floor_ids')), 32, '0'), 'hex'), 'code', 'queued', \
floor_sealed(), 0, 1, 1, 1)";

/// A client of the floor.
struct Inserting {
    url: String,
    connection: Option<PgConnection>,
}

impl Client for Inserting {
    async fn open(&mut self, _connections: &mut Connections) -> Result<(), Failure> {
        self.connection = Some(postgres(&self.url).await?);
        Ok(())
    }

    async fn call(&mut self) -> Result<Step, Failure> {
        let connection = self.connection.as_mut().expect("it was opened");
        let inserted = sqlx::query(INSERT)
            .execute(connection)
            .await
            .context("the floor's insert")?;
        if inserted.rows_affected() == 1 {
            Ok(Step::Answered)
        } else {
            Err(Failure::new("the floor's insert inserted something else"))
        }
    }
}

/// Makes the table `floor` after `outbox`.
pub(crate) async fn create_table(url: &str) -> Result<(), Failure> {
    let sealed = "ab".repeat(SEALED);
    for statement in [
        "CREATE TABLE floor (LIKE outbox INCLUDING ALL)",
        "CREATE SEQUENCE floor_ids CACHE 100",
        &format!(
            "CREATE FUNCTION floor_sealed() RETURNS bytea LANGUAGE sql IMMUTABLE \
             AS $$ SELECT '\\x{sealed}'::bytea $$"
        ),
    ] {
        Connection::open(url).await?.execute(statement).await?;
    }
    Ok(())
}

/// One round through the server's own driver.
pub(crate) fn round_by_driver(url: &str, length: Duration) -> Result<Sample, Failure> {
    runtime()?.block_on(empty(url))?;
    let client = |_| Inserting {
        url: url.into(),
        connection: None,
    };
    let (_, sample) = drive((0..CLIENTS).map(client).collect(), Target::NONE, length)?;
    Ok(sample)
}

/// One round by pgbench.
pub(crate) fn round_by_pgbench(url: &str, length: Duration) -> Result<Sample, Failure> {
    runtime()?.block_on(empty(url))?;
    let stopwatch = Stopwatch::start(None)?;
    let round = pgbench::run(url, INSERT, CLIENTS, length)?;
    let rows = runtime()?.block_on(rows(url))?;
    let mut sample = stopwatch.stop(rows)?;
    if rows != round.transactions {
        return Err(Failure::new(format!(
            "pgbench counted {} transactions, the table has {rows} rows",
            round.transactions
        )));
    }
    sample.seconds = round.seconds;
    Ok(sample)
}

async fn empty(url: &str) -> Result<(), Failure> {
    Connection::open(url).await?.execute("TRUNCATE floor").await
}

async fn rows(url: &str) -> Result<u64, Failure> {
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM floor")
        .fetch_one(&mut postgres(url).await?)
        .await
        .context("the table floor")?;
    u64::try_from(rows).context("the table floor")
}
