//! IssueTokens with a password beside Argon2id alone, on every core at once.

use std::num::NonZeroUsize;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use argon2::{Algorithm, Argon2, Block, Params, Version};

use crate::arguments::Arguments;
use crate::closed_loop::{Client, Step, drive, runtime};
use crate::connections::{Connection, Connections, connect};
use crate::failure::{Context as _, Failure};
use crate::people::Person;
use crate::report::{Figure, Gate, Rates};
use crate::rounds::{Side, alternate};
use crate::sample::{Sample, Stopwatch};
use crate::server::Setup;
use crate::system;

const GATE: f64 = 0.86;

/// Enough that the hashing threads never wait for the other parts of a sign-in,
/// and no more than the server lets queue.
const SIGN_INS_PER_CORE: usize = 8;

/// The server's default parameters.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Somebody who signs in over and over.
pub(crate) struct SigningIn {
    person: Person,
    connection: Option<Connection>,
}

impl SigningIn {
    pub(crate) fn new(person: Person) -> Self {
        Self {
            person,
            connection: None,
        }
    }
}

impl Client for SigningIn {
    async fn open(&mut self, connections: &mut Connections) -> Result<(), Failure> {
        self.connection = Some(connections.next().await?);
        Ok(())
    }

    async fn call(&mut self) -> Result<Step, Failure> {
        let connection = self.connection.as_mut().expect("it was opened");
        self.person.sign_in(connection).await?;
        Ok(Step::Answered)
    }
}

pub(crate) fn measure(arguments: &Arguments) -> Result<Vec<Figure>, Failure> {
    let in_flight = arguments
        .sign_ins
        .map_or(SIGN_INS_PER_CORE * system::cores().get(), NonZeroUsize::get);
    let setup = Setup::new(arguments, &[])?;
    let server = setup.start()?;
    eprintln!("issue: {in_flight} sign-ins in flight, SQLite, m={MEMORY_KIB} t={PASSES} p={LANES}");
    let people = runtime()?.block_on(async {
        let channel = connect(server.address()).await?;
        Person::crowd(&channel, 0..in_flight).await
    })?;
    let target = server.target(arguments.connections.get());
    let sides = vec![
        Side::new("Argon2id alone", || hash_on_every_core(arguments.round())),
        Side::new("ours", || {
            let clients = people.iter().cloned().map(SigningIn::new).collect();
            let (_, sample) = drive(clients, target, arguments.round())?;
            Ok(sample)
        }),
    ];
    let mut samples = alternate(arguments.rounds, sides)?.into_iter();
    Ok(vec![Figure::Rates(Rates {
        name: format!("IssueTokens with a password, SQLite, {in_flight} in flight"),
        floor_name: "Argon2id on every core".into(),
        floor: samples.next().unwrap_or_default(),
        ours: samples.next().unwrap_or_default(),
        gate: Some(Gate::Ratio(GATE)),
    })])
}

/// Hashes on as many threads as there are cores, each in memory of its own.
fn hash_on_every_core(length: Duration) -> Result<Sample, Failure> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(32)).context("Argon2")?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let threads = system::cores().get();
    let start = Barrier::new(threads + 1);
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| hash(&argon2, &start, length)))
            .collect();
        start.wait();
        let stopwatch = Stopwatch::start(Some(std::process::id()))?;
        let mut hashes = 0;
        for thread in running {
            hashes += thread
                .join()
                .map_err(|_| Failure::new("a hashing thread panicked"))??;
        }
        stopwatch.stop(hashes)
    })
}

fn hash(argon2: &Argon2<'_>, start: &Barrier, length: Duration) -> Result<u64, Failure> {
    let mut memory = vec![Block::new(); argon2.params().block_count()];
    let mut hash = || {
        let mut output = [0; 32];
        argon2
            .hash_password_into_with_memory(
                b"password",
                b"sixteen bytes !!",
                &mut output,
                &mut memory,
            )
            .context("Argon2")
            .map(|()| output)
    };
    // The first one also makes the memory resident.
    let expected = hash();
    start.wait();
    let expected = expected?;
    let end = system::now() + length;
    let mut hashes = 0;
    while system::now() < end {
        if hash()? != expected {
            return Err(Failure::new("Argon2 hashed the same to something else"));
        }
        hashes += 1;
    }
    Ok(hashes)
}
