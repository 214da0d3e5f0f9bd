//! The server on the embedded default with nothing to do: its memory, and the
//! time until its first answer.

use std::thread;
use std::time::Duration;

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::report::{Figure, Quantity};
use crate::server::Setup;
use crate::system;

/// The most resident memory when idle, in MB.
const GATE: f64 = 30.0;

/// How long the server is left alone before it is looked at.
const IDLE: Duration = Duration::from_secs(2);

pub(crate) fn measure(arguments: &Arguments) -> Result<Vec<Figure>, Failure> {
    eprintln!("memory: the embedded default, {} starts", arguments.rounds);
    let (mut first, mut again) = (Vec::new(), Vec::new());
    let (mut resident, mut proportional) = (Vec::new(), Vec::new());
    for _ in 0..arguments.rounds {
        let setup = Setup::new(arguments, &[])?;
        // Tables and keys are made at the first start only.
        first.push(millis(setup.start()?.started_in));
        let server = setup.start()?;
        again.push(millis(server.started_in));
        thread::sleep(IDLE);
        let memory = system::memory_of(server.pid())?;
        resident.push(megabytes(memory.resident));
        proportional.push(megabytes(memory.proportional));
    }
    let quantity = |name: &str, unit, values, gate| {
        Figure::Quantity(Quantity {
            name: name.into(),
            unit,
            values,
            gate,
        })
    };
    Ok(vec![
        quantity("Idle memory, resident", "MB", resident, Some(GATE)),
        quantity("Idle memory, proportional", "MB", proportional, None),
        quantity("First start, until SERVING", "ms", first, None),
        quantity("Start, until SERVING", "ms", again, None),
    ])
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
