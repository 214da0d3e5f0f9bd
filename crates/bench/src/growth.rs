//! Sign-in, refresh and cleaning with a million sessions beside a thousand, on
//! PostgreSQL and MariaDB.

use crate::arguments::Arguments;
use crate::cleaning::Cleaner;
use crate::closed_loop::{drive, runtime};
use crate::connections::connect;
use crate::crowded::fill;
use crate::database::FreshDatabase;
use crate::failure::Failure;
use crate::issue::SigningIn;
use crate::people::Person;
use crate::refresh::{CHEAP_HASHES, Refreshing};
use crate::report::Figure;
use crate::rounds::{Side, growth};
use crate::sample::Sample;
use crate::server::{Server, Setup};

const GATE: f64 = 1.10;
const FEW: u32 = 1_000;
const MANY: u32 = 1_000_000;

type Work = fn(&mut Loaded, &Arguments) -> Result<Sample, Failure>;

/// A server on a database with few sessions, or many.
struct Loaded {
    server: Server,
    people: Vec<Person>,
    refreshing: Vec<Refreshing>,
    cleaner: Cleaner,
    name: String,
    /// It holds the server's files.
    _setup: Setup,
}

pub(crate) fn measure(arguments: &Arguments) -> Result<Vec<Figure>, Failure> {
    let mut figures = Vec::new();
    for (name, admin_url) in [
        ("PostgreSQL", &arguments.postgres),
        ("MariaDB", &arguments.mariadb),
    ] {
        eprintln!("growth: {name}, {FEW} beside {MANY} sessions");
        let runtime = runtime()?;
        let few = runtime.block_on(FreshDatabase::create(admin_url, "few"))?;
        let many = runtime.block_on(FreshDatabase::create(admin_url, "many"))?;
        let measured = on(arguments, name, &few.url(), &many.url());
        let deleted = [few.delete(), many.delete()].map(|delete| runtime.block_on(delete));
        figures.extend(measured?);
        for deleted in deleted {
            deleted?;
        }
    }
    Ok(figures)
}

fn on(
    arguments: &Arguments,
    database: &str,
    few: &str,
    many: &str,
) -> Result<Vec<Figure>, Failure> {
    let mut few = Loaded::start(arguments, few, FEW)?;
    let mut many = Loaded::start(arguments, many, MANY)?;
    let works: [(&str, Work); 3] = [
        ("IssueTokens with a password", Loaded::sign_in),
        ("RefreshTokens", Loaded::refresh),
        ("Deleting ended sessions", Loaded::clean),
    ];
    let mut figures = Vec::new();
    for (what, work) in works {
        let (few_name, many_name) = (few.name.clone(), many.name.clone());
        let name = format!("{what}, {database}, {many_name}");
        figures.push(growth(
            name,
            arguments.rounds,
            GATE,
            Side::new(&few_name, || work(&mut few, arguments)),
            Side::new(&many_name, || work(&mut many, arguments)),
        )?);
    }
    Ok(figures)
}

impl Loaded {
    fn start(arguments: &Arguments, url: &str, sessions: u32) -> Result<Self, Failure> {
        let mut settings = vec![("database.url", url)];
        settings.extend(CHEAP_HASHES);
        let setup = Setup::new(arguments, &settings)?;
        let server = setup.start()?;
        let (people, refreshing) = runtime()?.block_on(async {
            let channel = connect(server.address()).await?;
            let people = Person::crowd(&channel, 0..arguments.sessions.get()).await?;
            let refreshing = Refreshing::sign_in(server.address(), &people).await?;
            fill(url, sessions).await?;
            Ok((people, refreshing))
        })?;
        Ok(Self {
            server,
            people,
            refreshing,
            cleaner: Cleaner::new(url),
            name: format!("{sessions} sessions"),
            _setup: setup,
        })
    }

    fn sign_in(&mut self, arguments: &Arguments) -> Result<Sample, Failure> {
        let clients = self.people.iter().cloned().map(SigningIn::new).collect();
        let target = self.server.target(arguments.connections.get());
        let (_, sample) = drive(clients, target, arguments.round())?;
        Ok(sample)
    }

    fn refresh(&mut self, arguments: &Arguments) -> Result<Sample, Failure> {
        let clients = std::mem::take(&mut self.refreshing);
        let target = self.server.target(arguments.connections.get());
        let (clients, sample) = drive(clients, target, arguments.round())?;
        self.refreshing = clients;
        Ok(sample)
    }

    fn clean(&mut self, _arguments: &Arguments) -> Result<Sample, Failure> {
        self.cleaner.round()
    }
}
