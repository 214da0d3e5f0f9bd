//! Measures Countersign beside the best known floor, in one interleaved run:
//! what a machine does alone means little, the ratio of two does.
//!
//! One process generates the load. The servers are its children, so that the
//! system tells how much CPU each of them took.

mod arguments;
mod auth_verify;
mod check;
mod check_messages;
mod cleaning;
mod closed_loop;
mod codes;
mod connections;
mod corpus;
mod crowded;
mod database;
mod echo;
mod failure;
mod forge;
mod growth;
mod growth_users;
mod import;
mod insert_floor;
mod issue;
mod memory;
mod messages;
mod open_loop;
mod people;
mod pgbench;
mod raw_call;
mod redis;
mod refresh;
mod refresh_floor;
mod report;
mod revocations;
mod rounds;
mod sample;
mod second_factor;
mod server;
mod spinning;
mod statistics;
mod storm;
mod system;
mod validate;
mod verifying;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Arguments, What};
use failure::{Context as _, Failure};
use report::{Figure, Report};

type Measure = fn(&Arguments) -> Result<Vec<Figure>, Failure>;

const MEASUREMENTS: [(What, Measure); 14] = [
    (What::Validate, validate::measure),
    (What::Check, check::measure),
    (What::AuthVerify, auth_verify::measure),
    (What::Revocations, revocations::measure),
    (What::Issue, issue::measure),
    (What::SecondFactor, second_factor::measure),
    (What::Storm, storm::measure),
    (What::Refresh, refresh::measure),
    (What::Codes, codes::measure),
    (What::Messages, messages::measure),
    (What::Growth, growth::measure),
    (What::GrowthUsers, growth_users::measure),
    (What::Import, import::measure),
    (What::Memory, memory::measure),
];

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("countersign-bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    if arguments.what == What::FloorEcho {
        return echo::serve(arguments.answer_bytes);
    }
    if arguments.what == What::FloorCheck {
        return check::serve(arguments.answer_bytes);
    }
    if arguments.what == What::FloorVerify {
        return auth_verify::serve();
    }
    if arguments.what == What::FloorSpin {
        return spinning::spin();
    }
    let mut report = Report::begin(arguments)?;
    for (what, measure) in MEASUREMENTS {
        if arguments.what == what || arguments.what == What::All {
            report.extend(measure(arguments)?);
        }
    }
    if let Some(path) = &arguments.json {
        report.write_json(path)?;
    }
    write!(io::stdout(), "{report}").context("standard output")
}
