//! Sign-in with a million users beside a thousand, on PostgreSQL and MariaDB. Hashes are
//! cheap, so that the database's part shows.

use crate::arguments::Arguments;
use crate::closed_loop::{drive, runtime};
use crate::connections::connect;
use crate::crowded::fill_users;
use crate::database::FreshDatabase;
use crate::failure::Failure;
use crate::issue::SigningIn;
use crate::people::Person;
use crate::refresh::CHEAP_HASHES;
use crate::report::Figure;
use crate::rounds::{Side, growth};
use crate::sample::Sample;
use crate::server::{Server, Setup};

const GATE: f64 = 1.3;
const FEW: u32 = 1_000;
const MANY: u32 = 1_000_000;

/// A server on a database with few users, or many.
struct Loaded {
    server: Server,
    people: Vec<Person>,
    /// It holds the server's files.
    _setup: Setup,
}

pub(crate) fn measure(arguments: &Arguments) -> Result<Vec<Figure>, Failure> {
    let mut figures = Vec::new();
    for (name, admin_url) in [
        ("PostgreSQL", &arguments.postgres),
        ("MariaDB", &arguments.mariadb),
    ] {
        eprintln!("growth-users: {name}, {FEW} beside {MANY} users");
        let runtime = runtime()?;
        let few = runtime.block_on(FreshDatabase::create(admin_url, "few_users"))?;
        let many = runtime.block_on(FreshDatabase::create(admin_url, "many_users"))?;
        let measured = on(arguments, name, &few.url(), &many.url());
        let deleted = [few.delete(), many.delete()].map(|delete| runtime.block_on(delete));
        figures.push(measured?);
        for deleted in deleted {
            deleted?;
        }
    }
    Ok(figures)
}

fn on(arguments: &Arguments, database: &str, few: &str, many: &str) -> Result<Figure, Failure> {
    let mut few = Loaded::start(arguments, few, FEW)?;
    let mut many = Loaded::start(arguments, many, MANY)?;
    growth(
        format!("IssueTokens with a password, {database}, {MANY} users"),
        arguments.rounds,
        GATE,
        Side::new(&format!("{FEW} users"), || few.sign_in(arguments)),
        Side::new(&format!("{MANY} users"), || many.sign_in(arguments)),
    )
}

impl Loaded {
    fn start(arguments: &Arguments, url: &str, users: u32) -> Result<Self, Failure> {
        let mut settings = vec![("database.url", url)];
        settings.extend(CHEAP_HASHES);
        let setup = Setup::new(arguments, &settings)?;
        let server = setup.start()?;
        let people = runtime()?.block_on(async {
            let channel = connect(server.address()).await?;
            let people = Person::crowd(&channel, 0..arguments.sessions.get()).await?;
            fill_users(url, users).await?;
            Ok(people)
        })?;
        Ok(Self {
            server,
            people,
            _setup: setup,
        })
    }

    fn sign_in(&mut self, arguments: &Arguments) -> Result<Sample, Failure> {
        let clients = self.people.iter().cloned().map(SigningIn::new).collect();
        let target = self.server.target(arguments.connections.get());
        let (_, sample) = drive(clients, target, arguments.round())?;
        Ok(sample)
    }
}
