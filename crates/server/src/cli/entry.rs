//! From the arguments to the exit code: 0 good, 1 failed, 2 wrong usage.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use tokio::runtime::{Builder, Runtime};

use super::arguments::{Arguments, Callers, Command, Keys, OperatorCommand};
use super::failure::{Failure, Outcome};
use super::probe_arguments::ProbeArguments;
use super::{backup, callers, healthcheck, keys, migrate, open, try_command};
use crate::config::{Config, Environment, Secret, Sources};
use crate::{logging, serve};

/// Runs the command that the process was started with.
///
/// # Panics
/// If the process has a default TLS provider already.
#[must_use]
pub fn main() -> ExitCode {
    // The one TLS provider of the process, before anything can pick another.
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .expect("nothing has installed a provider before");
    let words: Vec<OsString> = std::env::args_os().collect();
    // The probe has arguments in another spelling, and exit codes of its own.
    if let [_, command, arguments @ ..] = words.as_slice()
        && command == "healthcheck"
    {
        return match healthcheck::read(arguments) {
            Ok(arguments) => probe(&arguments),
            Err(code) => code,
        };
    }
    match execute(Arguments::parse_from(words)) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("countersign: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn probe(arguments: &ProbeArguments) -> ExitCode {
    let (mut out, mut errors) = (io::stdout(), io::stderr());
    match one_thread() {
        Ok(runtime) => runtime.block_on(healthcheck::execute(arguments, &mut out, &mut errors)),
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn execute(arguments: Arguments) -> Result<ExitCode, Failure> {
    let environment = Environment::of_process();
    let sources = |environment| Sources {
        file: arguments.config,
        environment,
        flags: arguments.flags,
    };
    match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => {
            let config = Config::load(&sources(environment))?;
            logging::start(&config.log)?;
            let runtime = Builder::new_multi_thread()
                .worker_threads(work_threads())
                .thread_name("work")
                .enable_all()
                .build()?;
            runtime.block_on(serve::run(config))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Operator(command) => {
            let config = Config::load(&sources(environment))?;
            let outcome = one_thread()?.block_on(operate(command, &config))?;
            Ok(outcome.into())
        }
        Command::Config => {
            let config = Config::load(&sources(environment))?;
            io::stdout().write_all(config.to_toml().as_bytes())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Healthcheck(arguments) => Ok(probe(&arguments)),
        Command::Try(mut arguments) => {
            let key = environment.get("COUNTERSIGN_API_KEY");
            let key = key.map(|key| Secret::new(key.to_string_lossy().into_owned()));
            arguments.api_key = arguments.api_key.or(key);
            let out = &mut io::stdout();
            let outcome = one_thread()?.block_on(try_command::execute(&arguments, out))?;
            Ok(outcome.into())
        }
    }
}

async fn operate(command: OperatorCommand, config: &Config) -> Result<Outcome, Failure> {
    let (out, notes) = (&mut io::stdout(), &mut io::stderr());
    open::announce(config, notes);
    match command {
        OperatorCommand::Migrate(arguments) => migrate::execute(config, arguments.check, out).await,
        OperatorCommand::Keys(Keys::List) => keys::list(config, out).await,
        OperatorCommand::Keys(Keys::Rotate) => keys::rotate(config, out, notes).await,
        OperatorCommand::Keys(Keys::Revoke { kid }) => keys::revoke(config, kid, out).await,
        OperatorCommand::Caller(Callers::New { name, roles }) => {
            callers::add(config, name, roles, out, notes).await
        }
        OperatorCommand::Caller(Callers::List) => callers::list(config, out).await,
        OperatorCommand::Caller(Callers::Remove { name }) => {
            callers::remove(config, &name, out).await
        }
        OperatorCommand::Backup { file } => backup::execute(config, &file, out).await,
    }
}

/// The threads of databases and jobs: one for two cores. They wait more than
/// they work, and the fewer they are, the more of what waits is done together.
fn work_threads() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2))
}

fn one_thread() -> Result<Runtime, Failure> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::Lacking => Self::FAILURE,
        }
    }
}
