//! The floor of RefreshTokens: the least statement that decides a race, one row
//! and one durable commit a time, on a table of the same shape; by the same
//! driver and, where there is one, by pgbench.

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

/// The row of a client has its number as id.
const SCRIPT: &str = "\
UPDATE floor SET generation = generation + 1 \
WHERE id = decode(lpad(to_hex(:client_id::int), 32, '0'), 'hex') AND generation = :generation \
RETURNING generation \\gset
";

/// A client of the floor, with a row of its own.
struct Updating {
    url: String,
    id: [u8; 16],
    generation: i64,
    connection: Option<PgConnection>,
}

impl Client for Updating {
    async fn open(&mut self, _connections: &mut Connections) -> Result<(), Failure> {
        self.connection = Some(postgres(&self.url).await?);
        Ok(())
    }

    async fn call(&mut self) -> Result<Step, Failure> {
        let connection = self.connection.as_mut().expect("it was opened");
        let generation: Option<i64> = sqlx::query_scalar(
            "UPDATE floor SET generation = generation + 1 \
             WHERE id = $1 AND generation = $2 RETURNING generation",
        )
        .bind(&self.id[..])
        .bind(self.generation)
        .fetch_optional(connection)
        .await
        .context("the floor's update")?;
        self.generation += 1;
        if generation == Some(self.generation) {
            Ok(Step::Answered)
        } else {
            Err(Failure::new("the floor's update changed something else"))
        }
    }
}

/// Makes the table `floor` after `sessions`, with a row for each client.
pub(crate) async fn create_table(url: &str) -> Result<(), Failure> {
    let mut connection = postgres(url).await?;
    let options: Option<String> = sqlx::query_scalar(
        "SELECT array_to_string(reloptions, ', ') FROM pg_class WHERE oid = 'sessions'::regclass",
    )
    .fetch_one(&mut connection)
    .await
    .context("the options of the table sessions")?;
    let mut connection = Connection::Postgres(connection);
    let create = "CREATE TABLE floor (LIKE sessions INCLUDING ALL)";
    connection.execute(create).await?;
    if let Some(options) = options {
        let set = format!("ALTER TABLE floor SET ({options})");
        connection.execute(&set).await?;
    }
    for number in 0..CLIENTS {
        // The copy has the id of the session until it gets its own.
        let copy = format!(
            "INSERT INTO floor SELECT * FROM sessions ORDER BY id LIMIT 1; \
             UPDATE floor SET id = decode(lpad(to_hex({number}), 32, '0'), 'hex') \
             WHERE id IN (SELECT id FROM sessions)"
        );
        connection.execute(&copy).await?;
    }
    connection.execute("VACUUM FULL ANALYZE floor").await
}

/// One round through the server's own driver.
pub(crate) fn round_by_driver(url: &str, length: Duration) -> Result<Sample, Failure> {
    runtime()?.block_on(reset(url))?;
    let client = |number: usize| Updating {
        url: url.into(),
        id: (number as u128).to_be_bytes(),
        generation: 0,
        connection: None,
    };
    let (_, sample) = drive((0..CLIENTS).map(client).collect(), Target::NONE, length)?;
    Ok(sample)
}

/// One round by pgbench.
pub(crate) fn round_by_pgbench(url: &str, length: Duration) -> Result<Sample, Failure> {
    runtime()?.block_on(reset(url))?;
    let stopwatch = Stopwatch::start(None)?;
    let round = pgbench::run(url, SCRIPT, CLIENTS, length)?;
    let changes = runtime()?.block_on(changes(url))?;
    let mut sample = stopwatch.stop(changes)?;
    if changes != round.transactions {
        return Err(Failure::new(format!(
            "pgbench counted {} transactions, the table {changes}",
            round.transactions
        )));
    }
    sample.seconds = round.seconds;
    Ok(sample)
}

async fn reset(url: &str) -> Result<(), Failure> {
    let mut connection = Connection::open(url).await?;
    let reset = "UPDATE floor SET generation = 0";
    connection.execute(reset).await?;
    connection.execute("VACUUM floor").await
}

async fn changes(url: &str) -> Result<u64, Failure> {
    let mut connection = postgres(url).await?;
    let sum: i64 = sqlx::query_scalar("SELECT sum(generation)::bigint FROM floor")
        .fetch_one(&mut connection)
        .await
        .context("the table floor")?;
    u64::try_from(sum).context("the table floor")
}
