//! SendCode with a message on PostgreSQL, beside the bare INSERT into the outbox.

use crate::arguments::Arguments;
use crate::closed_loop::{drive, runtime};
use crate::connections::connect;
use crate::database::FreshDatabase;
use crate::failure::Failure;
use crate::insert_floor::{create_table, round_by_driver, round_by_pgbench};
use crate::pgbench;
use crate::report::Figure;
use crate::rounds::{Side, beside_floors};
use crate::server::{Server, Setup};
use crate::verifying::{LIMITS, Messages};

const GATE: f64 = 0.40;

pub(crate) fn measure(arguments: &Arguments) -> Result<Vec<Figure>, Failure> {
    let runtime = runtime()?;
    let database = FreshDatabase::create(&arguments.postgres, "messages");
    let database = runtime.block_on(database)?;
    let figures = on_postgres(arguments, &database.url());
    let deleted = runtime.block_on(database.delete());
    let figures = figures?;
    deleted?;
    Ok(figures)
}

fn on_postgres(arguments: &Arguments, url: &str) -> Result<Vec<Figure>, Failure> {
    let mut settings = vec![("database.url", url)];
    settings.extend(LIMITS);
    settings.extend(arguments.redis.as_deref().map(|redis| ("redis.url", redis)));
    let setup = Setup::new(arguments, &settings)?;
    let server = setup.start()?;
    let callers = arguments.callers();
    eprintln!("messages: {callers} callers at once, PostgreSQL");
    runtime()?.block_on(create_table(url))?;
    let mut clients: Vec<_> = (0..callers).map(Messages::new).collect();
    let target = server.target(arguments.connections.get());
    let mut sides = vec![
        Side::new("ours", || {
            let (after, sample) = drive(std::mem::take(&mut clients), target, arguments.round())?;
            clients = after;
            Ok(sample)
        }),
        Side::new("the bare INSERT, by the same driver", || {
            round_by_driver(url, arguments.round())
        }),
    ];
    if pgbench::is_there()? {
        sides.push(Side::new("the bare INSERT, by pgbench", || {
            round_by_pgbench(url, arguments.round())
        }));
    }
    let name = format!("SendCode with a message, PostgreSQL, {callers} at once");
    let figures = beside_floors(&name, arguments.rounds, GATE, sides)?;
    check(&server, &clients)?;
    Ok(figures)
}

fn check(server: &Server, clients: &[Messages]) -> Result<(), Failure> {
    runtime()?.block_on(async {
        let channel = connect(server.address()).await?;
        for client in clients {
            client.check(channel.clone()).await?;
        }
        Ok(())
    })
}
