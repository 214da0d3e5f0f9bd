//! Importing users: by the command and ImportUsers, beside a plain insert of as many
//! rows of the same kind into the same tables; and what it does to validations that go
//! on beside it, and to a bare echo in a process of its own.

use std::fmt::Write as _;
use std::fs;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::Arc;

use hdrhistogram::Histogram;
use serde_json::Value;
use sqlx::{Postgres, QueryBuilder};
use tokio::task::JoinSet;

use crate::arguments::Arguments;
use crate::closed_loop::{drive, runtime};
use crate::corpus::Corpus;
use crate::database::{FreshDatabase, postgres};
use crate::failure::{Context as _, Failure};
use crate::forge::forge;
use crate::open_loop::{self, histogram, micros, offer};
use crate::raw_call::RawCaller;
use crate::report::{Figure, Quantity};
use crate::rounds::{Side, beside_floors};
use crate::sample::{Sample, Stopwatch};
use crate::server::{Floor, Process, Server, Setup};
use crate::validate::WARMING;

/// Of the rate of the plain insert.
const GATE: f64 = 0.5;
/// Users of a round.
const USERS: u64 = 20_000;
/// As the command has them unless told otherwise.
const BATCH: u64 = 250;
const IN_FLIGHT: u64 = 2;

/// Validations a second, and tokens that are asked about.
const RATE: NonZeroU32 = NonZeroU32::new(1_000).expect("it is not zero");
const TOKENS: u32 = 1_000;
/// Of the p99 beside an import to the one without.
const P99_GATE: f64 = 1.1;
/// More than are imported in a round.
const MANY_USERS: u64 = 500_000;

/// A hash as long as those that people come with.
const HASH: &str =
    "pbkdf2_sha256$260000$Na3lKpQ0wZUsg$LWwtjlI8BWuLnswTzYfkQ5ieoGGtficIn3epO9W+sIY=";

pub(crate) fn measure(arguments: &Arguments) -> Result<Vec<Figure>, Failure> {
    let runtime = runtime()?;
    let database = runtime.block_on(FreshDatabase::create(&arguments.postgres, "import"))?;
    let measured = on_postgres(arguments, &database.url());
    let deleted = runtime.block_on(database.delete());
    let mut figures = measured?;
    deleted?;
    let setup = Setup::new(arguments, &[("tokens.access_ttl", "1h")])?;
    let server = setup.start()?;
    figures.extend(beside_validations(arguments, &setup, &server, "SQLite")?);
    Ok(figures)
}

fn on_postgres(arguments: &Arguments, url: &str) -> Result<Vec<Figure>, Failure> {
    let settings = [("database.url", url), ("tokens.access_ttl", "1h")];
    let setup = Setup::new(arguments, &settings)?;
    let server = setup.start()?;
    let mut figures = beside_insert(arguments, url, &setup, &server)?;
    let beside = beside_validations(arguments, &setup, &server, "PostgreSQL")?;
    figures.extend(beside);
    Ok(figures)
}

fn beside_insert(
    arguments: &Arguments,
    url: &str,
    setup: &Setup,
    server: &Server,
) -> Result<Vec<Figure>, Failure> {
    eprintln!("import: {USERS} users a round beside a plain insert, PostgreSQL");
    let (mut imported, mut inserted) = (0, 0);
    beside_floors(
        "ImportUsers by the command",
        arguments.rounds,
        GATE,
        vec![
            Side::new("import", || {
                imported += 1;
                import(setup, server, imported)
            }),
            Side::new("plain insert of many rows", || {
                inserted += 1;
                runtime()?.block_on(insert(url, inserted))
            }),
        ],
    )
}

/// A file of new users.
fn file(setup: &Setup, name: &str, users: u64) -> Result<PathBuf, Failure> {
    let mut csv = "external_id,email,username,name,password_hash\n".to_owned();
    for user in 0..users {
        let line = writeln!(
            csv,
            "{name}-{user},{name}-{user}@example.com,{name}_user_{user},Mina Kim,{HASH}"
        );
        line.context("the file of users")?;
    }
    let path = setup.data_dir().join(format!("{name}.csv"));
    fs::write(&path, csv).context("the file of users")?;
    Ok(path)
}

/// The command that imports a file.
fn command(setup: &Setup, server: &Server, path: &PathBuf) -> std::process::Command {
    let mut command = setup.command();
    command
        .arg("import")
        .arg("--from")
        .arg(path)
        .args(["--json", "--addr", &server.address().to_string()])
        .stdin(Stdio::null());
    command
}

/// A round of the command, timed by itself: from its connection to its last answer.
fn import(setup: &Setup, server: &Server, round: u32) -> Result<Sample, Failure> {
    let path = file(setup, &format!("import{round}"), USERS)?;
    let stopwatch = Stopwatch::start(Some(server.pid()))?;
    let ended = command(setup, server, &path)
        .output()
        .context("the import")?;
    let mut sample = stopwatch.stop(USERS)?;
    let said = String::from_utf8_lossy(&ended.stderr);
    let summary: Value = serde_json::from_slice(&ended.stdout).context("the import's summary")?;
    if summary["imported"].as_u64() != Some(USERS) {
        return Err(Failure::new(format!("the import: {summary} {said}")));
    }
    let seconds = summary["seconds"].as_f64();
    sample.seconds = seconds.ok_or_else(|| Failure::new("the import tells no time"))?;
    Ok(sample)
}

/// A round of the floor: as many rows a statement and a transaction, over as many
/// connections.
async fn insert(url: &str, round: u32) -> Result<Sample, Failure> {
    let mut connections = Vec::new();
    for _ in 0..IN_FLIGHT {
        connections.push(postgres(url).await?);
    }
    let stopwatch = Stopwatch::start(None)?;
    let mut inserting = JoinSet::new();
    for (number, mut connection) in (0..).zip(connections) {
        inserting.spawn(async move {
            let batches = (0..USERS / BATCH).filter(|batch| batch % IN_FLIGHT == number);
            for batch in batches {
                insert_batch(&mut connection, round, batch).await?;
            }
            Ok::<_, Failure>(())
        });
    }
    while let Some(ended) = inserting.join_next().await {
        ended.context("the floor's insert")??;
    }
    stopwatch.stop(USERS / BATCH / IN_FLIGHT * IN_FLIGHT * BATCH)
}

async fn insert_batch(
    connection: &mut sqlx::PgConnection,
    round: u32,
    batch: u64,
) -> Result<(), Failure> {
    let users = batch * BATCH..(batch + 1) * BATCH;
    let id = |user: u64| {
        let mut id = [0; 16];
        id[0] = 1;
        id[2..6].copy_from_slice(&round.to_be_bytes());
        id[8..].copy_from_slice(&user.to_be_bytes());
        id.to_vec()
    };
    let name = |user: u64| format!("insert{round}-{user}");
    let mut of_users: QueryBuilder<Postgres> = QueryBuilder::new(
        "INSERT INTO users (id, group_id, state, credential_version, created_at, blocked, \
         blocked_at, blocked_until, blocked_reason, external_id, name, locale, time_zone, \
         attributes, roles, scopes, revision, updated_at) ",
    );
    of_users.push_values(users.clone(), |mut row, user| {
        row.push_bind(id(user))
            .push_bind("default")
            .push_bind("active")
            .push_bind(1_i64)
            .push_bind(1_790_000_000_000_i64)
            .push_bind(None::<String>)
            .push_bind(None::<i64>)
            .push_bind(None::<i64>)
            .push_bind(None::<String>)
            .push_bind(name(user))
            .push_bind("Mina Kim")
            .push_bind(None::<String>)
            .push_bind(None::<String>)
            .push_bind(None::<String>)
            .push_bind(None::<String>)
            .push_bind(None::<String>)
            .push_bind(0_i64)
            .push_bind(1_790_000_000_000_i64);
    });
    let mut of_identifiers: QueryBuilder<Postgres> =
        QueryBuilder::new("INSERT INTO identifiers (group_id, kind, value, user_id) ");
    let identifiers = users.clone().flat_map(|user| {
        let email = format!("{}@example.com", name(user));
        let username = format!("insert{round}_user_{user}");
        [(user, "email", email), (user, "username", username)]
    });
    of_identifiers.push_values(identifiers, |mut row, (user, kind, value)| {
        row.push_bind("default")
            .push_bind(kind)
            .push_bind(value)
            .push_bind(id(user));
    });
    let mut of_passwords: QueryBuilder<Postgres> =
        QueryBuilder::new("INSERT INTO credentials (user_id, hash, failures, updated_at) ");
    of_passwords.push_values(users, |mut row, user| {
        row.push_bind(id(user))
            .push_bind(HASH)
            .push_bind(0_i64)
            .push_bind(1_790_000_000_000_i64);
    });
    let mut transaction = sqlx::Connection::begin(connection)
        .await
        .context("the floor's transaction")?;
    for mut statement in [of_users, of_identifiers, of_passwords] {
        let inserted = statement.build().execute(&mut *transaction).await;
        inserted.context("the floor's insert")?;
    }
    transaction.commit().await.context("the floor's commit")
}

fn beside_validations(
    arguments: &Arguments,
    setup: &Setup,
    server: &Server,
    database: &str,
) -> Result<Vec<Figure>, Failure> {
    eprintln!("import: beside {RATE} validations a second, {database}");
    let target = server.target(arguments.connections.get());
    let tokens = runtime()?.block_on(forge(setup, server, TOKENS))?;
    let tokens = Arc::new(Corpus::of_tokens(&tokens));
    drive(RawCaller::once_each(&tokens, 64), target, WARMING)?;
    let echoes = Arc::new(tokens.of_echoes());
    let floor = Floor::start("floor-echo", tokens.echoed_bytes())?;
    let floor = floor.target(arguments.connections.get());
    drive(RawCaller::once_each(&echoes, 64), floor, WARMING)?;
    let (mut calm, mut beside) = (histogram()?, histogram()?);
    let (mut ratios, mut floors) = (Vec::new(), Vec::new());
    for round in 1..=arguments.rounds {
        let path = file(setup, &format!("beside{round}"), MANY_USERS)?;
        let without = offer(&tokens, target, RATE, arguments.round())?;
        let echo_without = offer(&echoes, floor, RATE, arguments.round())?;
        let importing = begin(setup, server, &path)?;
        let with = offer(&tokens, target, RATE, arguments.round())?;
        let echo_with = offer(&echoes, floor, RATE, arguments.round())?;
        end(importing)?;
        fs::remove_file(&path).context("the file of users")?;
        let p99 = |latencies: &Histogram<u64>| micros(latencies.value_at_quantile(0.99));
        let (before, under) = (p99(&without), p99(&with));
        let (echo, echo_under) = (p99(&echo_without), p99(&echo_with));
        eprintln!(
            "  round {round}: p99 {before:.0} µs, {under:.0} µs beside an import; of the echo \
             {echo:.0} µs, {echo_under:.0} µs"
        );
        ratios.push(under / before);
        floors.push(echo_under / echo);
        calm.add(without).context("the histogram")?;
        beside.add(with).context("the histogram")?;
    }
    Ok(vec![
        open_loop::figure("ValidateToken", RATE, &calm),
        open_loop::figure(
            &format!("ValidateToken beside an import into {database}"),
            RATE,
            &beside,
        ),
        Figure::Quantity(Quantity {
            name: format!("ValidateToken p99, beside an import into {database} : without"),
            unit: "",
            values: ratios,
            gate: Some(P99_GATE),
        }),
        Figure::Quantity(Quantity {
            name: format!("a bare echo's p99, beside an import into {database} : without"),
            unit: "",
            values: floors,
            gate: None,
        }),
    ])
}

/// Begins an import that has not ended when the round has.
fn begin(setup: &Setup, server: &Server, path: &PathBuf) -> Result<Process, Failure> {
    let mut command = command(setup, server, path);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    child.context("the import").map(Process)
}

fn end(mut importing: Process) -> Result<(), Failure> {
    let ended = Child::try_wait(&mut importing.0).context("the import")?;
    match ended {
        None => Ok(()),
        Some(_) => Err(Failure::new("the import ended before the round did")),
    }
}
