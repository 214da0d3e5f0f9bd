//! Measures Countersign beside the best known floor, in one interleaved run:
//! what a machine does alone means little, the ratio of two does.
//!
//! One process generates the load. The servers are its children, so that the
//! system tells how much CPU each of them took.

mod arguments;
mod closed_loop;
mod corpus;
mod echo;
mod failure;
mod forge;
mod issue;
mod lines;
mod memory;
mod open_loop;
mod people;
mod postgres;
mod raw_call;
mod refresh;
mod refresh_floor;
mod report;
mod rounds;
mod sample;
mod server;
mod statistics;
mod system;
mod validate;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Arguments, What};
use failure::{Context as _, Failure};
use report::Report;

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
    let mut report = Report::begin(arguments)?;
    let is_wanted = |what| arguments.what == what || arguments.what == What::All;
    if is_wanted(What::Validate) {
        report.extend(validate::measure(arguments)?);
    }
    if is_wanted(What::Issue) {
        report.extend(issue::measure(arguments)?);
    }
    if is_wanted(What::Refresh) {
        report.extend(refresh::measure(arguments)?);
    }
    if is_wanted(What::Memory) {
        report.extend(memory::measure(arguments)?);
    }
    if let Some(path) = &arguments.json {
        report.write_json(path)?;
    }
    write!(io::stdout(), "{report}").context("standard output")
}
