//! ValidateToken with many revocations beside ValidateToken with few, while more
//! of them come in: each moves the epoch, after which a remembered token is
//! looked up among them again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, SqliteConnection};

use crate::arguments::Arguments;
use crate::closed_loop::{Target, drive, runtime};
use crate::corpus::Corpus;
use crate::failure::{Context as _, Failure};
use crate::forge::forge;
use crate::raw_call::RawCaller;
use crate::report::Figure;
use crate::rounds::{Side, growth};
use crate::sample::Sample;
use crate::server::{Server, Setup};
use crate::validate::WARMING;

const GATE: f64 = 1.05;
const FEW: u32 = 1_000;
const MANY: u32 = 1_000_000;

/// In seconds.
const AN_HOUR: u32 = 3_600;

/// The pause between two new revocations.
const PAUSE: Duration = Duration::from_millis(100);

/// A server whose feed has many entries, or few.
struct Loaded {
    /// It holds the server's files.
    setup: Setup,
    server: Server,
    corpus: Arc<Corpus>,
}

pub(crate) fn measure(arguments: &Arguments) -> Result<Vec<Figure>, Failure> {
    eprintln!(
        "revocations: {} tokens; {FEW} beside {MANY} revocations, and ten more a second",
        arguments.tokens
    );
    let few = Loaded::start(arguments, FEW)?;
    let many = Loaded::start(arguments, MANY)?;
    let name = format!("ValidateToken with {MANY} revocations");
    let (few_name, many_name) = (format!("with {FEW}"), format!("with {MANY}"));
    let figure = growth(
        name,
        arguments.rounds,
        GATE,
        Side::new(&few_name, || few.round(arguments)),
        Side::new(&many_name, || many.round(arguments)),
    )?;
    Ok(vec![figure])
}

impl Loaded {
    fn start(arguments: &Arguments, revocations: u32) -> Result<Self, Failure> {
        let settings = [("tokens.access_ttl", "1h")];
        let setup = Setup::new(arguments, &settings)?;
        // The first start makes the tables.
        drop(setup.start()?);
        runtime()?
            .block_on(async { insert(&mut open(&setup).await?, revocations, AN_HOUR).await })?;
        let server = setup.start()?;
        let tokens = runtime()?.block_on(forge(&setup, &server, arguments.tokens))?;
        let corpus = Arc::new(Corpus::of_tokens(&tokens));
        let loaded = Self {
            setup,
            server,
            corpus,
        };
        let callers = RawCaller::once_each(&loaded.corpus, 64);
        drive(callers, loaded.target(arguments), WARMING)?;
        Ok(loaded)
    }

    fn target(&self, arguments: &Arguments) -> Target {
        self.server.target(arguments.connections.get())
    }

    fn round(&self, arguments: &Arguments) -> Result<Sample, Failure> {
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let revoking = scope.spawn(|| {
                runtime()?.block_on(async {
                    let mut database = open(&self.setup).await?;
                    while !is_over.load(Ordering::Relaxed) {
                        insert(&mut database, 1, 0).await?;
                        tokio::time::sleep(PAUSE).await;
                    }
                    Ok(())
                })
            });
            let callers = RawCaller::crowd(&self.corpus, arguments.in_flight.get());
            let driven = drive(callers, self.target(arguments), arguments.round());
            is_over.store(true, Ordering::Relaxed);
            let revoked = revoking.join();
            revoked.map_err(|_| Failure::new("the revoking thread panicked"))??;
            driven.map(|(_, sample)| sample)
        })
    }
}

async fn open(setup: &Setup) -> Result<SqliteConnection, Failure> {
    SqliteConnectOptions::new()
        .filename(setup.database_file())
        .busy_timeout(Duration::from_secs(30))
        .connect()
        .await
        .context("the server's database")
}

/// Writes revocations of made-up sessions as another replica would have, so many
/// seconds ago, good for a day.
async fn insert(
    database: &mut SqliteConnection,
    count: u32,
    seconds_ago: u32,
) -> Result<(), Failure> {
    sqlx::query(
        "WITH RECURSIVE numbers (n) AS \
             (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1), \
         clock (now) AS (SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) - ?2 * 1000) \
         INSERT INTO revocations (session_id, revoked_at, expires_at) \
         SELECT randomblob(16), now, now + 86400000 FROM numbers, clock",
    )
    .bind(count)
    .bind(seconds_ago)
    .execute(database)
    .await
    .context("inserting revocations")?;
    Ok(())
}
