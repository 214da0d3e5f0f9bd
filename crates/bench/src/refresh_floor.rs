//! The floor of RefreshTokens: the least statement that decides a race, one row
//! and one durable commit a time, on a table of the same shape; by the same
//! driver and, where there is one, by pgbench.

use std::io::{ErrorKind, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::time::Duration;

use sqlx::PgConnection;
use tempfile::NamedTempFile;

use crate::closed_loop::{Client, Step, Target, drive, runtime};
use crate::failure::{Context as _, Failure};
use crate::lines::Lines;
use crate::postgres::{connect, execute};
use crate::sample::{Sample, Stopwatch};
use crate::system;

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
    async fn open(&mut self, _lines: &mut Lines) -> Result<(), Failure> {
        self.connection = Some(connect(&self.url).await?);
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
    let mut connection = connect(url).await?;
    execute(
        &mut connection,
        "CREATE TABLE floor (LIKE sessions INCLUDING ALL)",
    )
    .await?;
    let options: Option<String> = sqlx::query_scalar(
        "SELECT array_to_string(reloptions, ', ') FROM pg_class WHERE oid = 'sessions'::regclass",
    )
    .fetch_one(&mut connection)
    .await
    .context("the options of the table sessions")?;
    if let Some(options) = options {
        execute(
            &mut connection,
            &format!("ALTER TABLE floor SET ({options})"),
        )
        .await?;
    }
    for number in 0..CLIENTS {
        // The copy has the id of the session until it gets its own.
        let copy = format!(
            "INSERT INTO floor SELECT * FROM sessions ORDER BY id LIMIT 1; \
             UPDATE floor SET id = decode(lpad(to_hex({number}), 32, '0'), 'hex') \
             WHERE id IN (SELECT id FROM sessions)"
        );
        execute(&mut connection, &copy).await?;
    }
    execute(&mut connection, "VACUUM FULL ANALYZE floor").await
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
    let target = Target {
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        connections: 0,
        watched: None,
    };
    let (_, sample) = drive((0..CLIENTS).map(client).collect(), target, length)?;
    Ok(sample)
}

/// Whether there is a pgbench.
pub(crate) fn has_pgbench() -> Result<bool, Failure> {
    match Command::new("pgbench").arg("--version").output() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Failure::new(format!("pgbench: {error}"))),
    }
}

/// One round by pgbench.
pub(crate) fn round_by_pgbench(url: &str, length: Duration) -> Result<Sample, Failure> {
    runtime()?.block_on(reset(url))?;
    let mut script = NamedTempFile::new().context("pgbench's script")?;
    script
        .write_all(SCRIPT.as_bytes())
        .context("pgbench's script")?;
    let stopwatch = Stopwatch::start(None)?;
    let output = Command::new("pgbench")
        .args([
            "--no-vacuum",
            "--protocol=prepared",
            "--define=generation=0",
        ])
        .arg(format!("--client={CLIENTS}"))
        .arg(format!("--jobs={}", system::cores().get().min(CLIENTS)))
        .arg(format!("--time={:.0}", length.as_secs_f64().ceil()))
        .arg(format!("--file={}", script.path().display()))
        .arg(url)
        .stdin(Stdio::null())
        .output()
        .context("pgbench")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let said =
        number(&text, "number of transactions actually processed: ").zip(number(&text, "tps = "));
    let Some((transactions, rate)) = said.filter(|_| output.status.success()) else {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::new(format!("pgbench: {text}{errors}")));
    };
    let changes = runtime()?.block_on(changes(url))?;
    let mut sample = stopwatch.stop(changes)?;
    if (f64::from(u32::try_from(changes).unwrap_or(u32::MAX)) - transactions).abs() > 0.5 {
        return Err(Failure::new(format!(
            "pgbench counted {transactions} transactions, the table {changes}"
        )));
    }
    // Without the time that connecting took.
    sample.seconds = transactions / rate;
    Ok(sample)
}

async fn reset(url: &str) -> Result<(), Failure> {
    let mut connection = connect(url).await?;
    execute(&mut connection, "UPDATE floor SET generation = 0").await?;
    execute(&mut connection, "VACUUM floor").await
}

async fn changes(url: &str) -> Result<u64, Failure> {
    let mut connection = connect(url).await?;
    let sum: i64 = sqlx::query_scalar("SELECT sum(generation)::bigint FROM floor")
        .fetch_one(&mut connection)
        .await
        .context("the table floor")?;
    u64::try_from(sum).context("the table floor")
}

/// The number that follows these words.
fn number(text: &str, words: &str) -> Option<f64> {
    let (_, rest) = text.split_once(words)?;
    let digits = rest
        .split(|c: char| !c.is_ascii_digit() && c != '.')
        .next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pgbench_says_is_read() {
        let text = "number of transactions actually processed: 25466\n\
                    tps = 12755.103418 (without initial connection time)\n";
        let said = number(text, "actually processed: ").zip(number(text, "tps = "));
        assert_eq!(said, Some((25_466.0, 12_755.103_418)));
        assert_eq!(number(text, "latency = "), None);
    }
}
