//! From the arguments to the exit code.

use std::ffi::OsString;
use std::io::{self, Stderr, Stdout, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use countersign_domain::use_cases::NewCredential;
use secrecy::SecretString;
use tokio::runtime::{Builder, Runtime};

use super::arguments::{
    Arguments, Callers, Command, ConfigCommand, Keys, Legacy, Message, OperatorCommand,
};
use super::exit_code::{FAILURE, USAGE};
use super::failure::{Failure, Outcome};
use super::output::Output;
use super::probe_arguments::ProbeArguments;
use super::token_arguments::Token;
use super::{
    audit, backup, caller_sans, callers, config_check, groups, healthcheck, import, keys, legacy,
    message, migrate, open, service_accounts, shell_integration, token_validate, tokens,
    try_command, user_sessions, users,
};
use crate::config::{Config, Environment, LogConfig, LogFormat, Sources};
use crate::serve_error::ServeError;
use crate::{gateway, logging, serve};

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
    if let Some(arguments) = of_the_probe(&words) {
        return match healthcheck::read(arguments) {
            Ok(arguments) => probe(&arguments),
            Err(code) => code,
        };
    }
    let arguments = match Arguments::try_parse_from(words) {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { USAGE } else { 0 });
        }
    };
    match execute(arguments) {
        Ok(code) => code,
        Err(failure) => {
            let _ = writeln!(errors(), "countersign: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

/// What follows `healthcheck`, which has arguments in another spelling and exit
/// codes of its own. The configuration may be named before it.
fn of_the_probe(words: &[OsString]) -> Option<&[OsString]> {
    let command = words.iter().position(|word| word == "healthcheck")?;
    let (before, rest) = words.split_at(command);
    let is_command = Arguments::try_parse_from(before).is_ok_and(|a| a.command.is_none());
    is_command.then(|| &rest[1..])
}

fn probe(arguments: &ProbeArguments) -> ExitCode {
    match one_thread() {
        Ok(runtime) => {
            let (out, errors) = (&mut output(), &mut errors());
            runtime.block_on(healthcheck::execute(arguments, out, errors))
        }
        Err(failure) => {
            let _ = writeln!(errors(), "error: {failure}");
            ExitCode::from(FAILURE)
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
        Command::Serve => serve(&sources(environment), serve::run),
        Command::Gateway => serve(&sources(environment), gateway::run),
        Command::Operator(command) => {
            let config = Config::load(&sources(environment))?;
            let outcome = one_thread()?.block_on(operate(command, &config))?;
            Ok(outcome.into())
        }
        Command::Message(Message::Test(arguments)) => {
            let config = Config::load(&sources(environment))?;
            let out = &mut output();
            let outcome = one_thread()?.block_on(message::test(&config, &arguments, out))?;
            Ok(outcome.into())
        }
        Command::Legacy(Legacy::Check(arguments)) => {
            let config = Config::load(&sources(environment))?;
            let (out, hints) = (&mut output(), &mut errors());
            let checked = legacy::check(&config, &arguments, out, hints);
            Ok(one_thread()?.block_on(checked)?.into())
        }
        Command::Import(mut arguments) => {
            let api_key = &mut arguments.server.api_key;
            *api_key = api_key.take().or_else(|| api_key_of(&environment));
            let (out, notes) = (&mut output(), &mut errors());
            let config = || Ok(Config::load(&sources(environment))?);
            // It is long, and whoever calls the server from the same machine goes first. Where
            // the system refuses, it has the priority of the others.
            let _ = rustix::process::nice(import::NICENESS);
            let imported = import::execute(&arguments, config, out, notes);
            Ok(one_thread()?.block_on(imported)?.into())
        }
        Command::Config { command } => {
            let config = Config::load(&sources(environment))?;
            match command {
                None => output().write_all(config.to_toml().as_bytes())?,
                Some(ConfigCommand::Check) => {
                    config_check::execute(&config, &mut output(), &mut errors())?;
                }
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Completions { shell } => {
            shell_integration::completions(shell, &mut output())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Man { dir } => {
            match dir {
                None => shell_integration::manual_page(&mut output())?,
                Some(directory) => shell_integration::manual_pages(&directory)?,
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Healthcheck(arguments) => Ok(probe(&arguments)),
        Command::User(mut command) => {
            let api_key = &mut command.server().api_key;
            *api_key = api_key.take().or_else(|| api_key_of(&environment));
            let (out, notes) = (&mut output(), &mut errors());
            let outcome = one_thread()?.block_on(users::execute(command, out, notes))?;
            Ok(outcome.into())
        }
        Command::Group(mut command) => {
            let api_key = &mut command.server().api_key;
            *api_key = api_key.take().or_else(|| api_key_of(&environment));
            let out = &mut output();
            let outcome = one_thread()?.block_on(groups::execute(command, out))?;
            Ok(outcome.into())
        }
        Command::ServiceAccount(mut command) => {
            let api_key = &mut command.server().api_key;
            *api_key = api_key.take().or_else(|| api_key_of(&environment));
            let (out, notes) = (&mut output(), &mut errors());
            let executing = service_accounts::execute(command, out, notes);
            Ok(one_thread()?.block_on(executing)?.into())
        }
        Command::Session(mut command) => {
            let api_key = &mut command.server().api_key;
            *api_key = api_key.take().or_else(|| api_key_of(&environment));
            let out = &mut output();
            let outcome = one_thread()?.block_on(user_sessions::execute(command, out))?;
            Ok(outcome.into())
        }
        Command::Audit(mut command) => {
            let api_key = &mut command.server().api_key;
            *api_key = api_key.take().or_else(|| api_key_of(&environment));
            let (out, notes) = (&mut output(), &mut errors());
            let outcome = one_thread()?.block_on(audit::execute(command, out, notes))?;
            Ok(outcome.into())
        }
        Command::Token(Token::Decode { token }) => {
            let config = Config::load(&sources(environment))?;
            Ok(tokens::decode(&config, &token, &mut output())?.into())
        }
        Command::Token(Token::Issue(wanted)) => {
            let config = Config::load(&sources(environment))?;
            Ok(tokens::issue(&config, &wanted, &mut output(), &mut errors())?.into())
        }
        Command::Token(Token::Validate(mut wanted)) => {
            let api_key = &mut wanted.server.api_key;
            *api_key = api_key.take().or_else(|| api_key_of(&environment));
            let out = &mut output();
            let outcome = one_thread()?.block_on(token_validate::execute(&wanted, out))?;
            Ok(outcome.into())
        }
        Command::Try(mut arguments) => {
            let api_key = &mut arguments.server.api_key;
            *api_key = api_key.take().or_else(|| api_key_of(&environment));
            let out = &mut output();
            let outcome = one_thread()?.block_on(try_command::execute(&arguments, out))?;
            Ok(outcome.into())
        }
    }
}

/// The API key that the environment has.
fn api_key_of(environment: &Environment) -> Option<SecretString> {
    let key = environment.get("COUNTERSIGN_API_KEY")?;
    Some(SecretString::from(key.to_string_lossy().into_owned()))
}

/// Serves. Where the log is JSON, the reason of a failure is a line of it.
fn serve<F>(sources: &Sources, run: fn(Config) -> F) -> Result<ExitCode, Failure>
where
    F: Future<Output = Result<(), ServeError>>,
{
    let loaded = Config::load(sources);
    let log = match &loaded {
        Ok(config) => config.log.clone(),
        Err(_) => LogConfig {
            format: sources.log_format(),
            ..LogConfig::default()
        },
    };
    logging::start(&log)?;
    let ended = loaded.map_err(Failure::from);
    let ended = ended.and_then(|config| Ok(many_threads()?.block_on(run(config))?));
    match ended {
        Err(failure) if log.format == LogFormat::Json => {
            tracing::error!("{failure}");
            Ok(ExitCode::from(failure.exit_code()))
        }
        ended => ended.map(|()| ExitCode::SUCCESS),
    }
}

fn many_threads() -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(work_threads())
        .thread_name("work")
        .enable_all()
        .build()
}

async fn operate(command: OperatorCommand, config: &Config) -> Result<Outcome, Failure> {
    let (out, notes) = (&mut output(), &mut errors());
    open::announce(config, notes);
    match command {
        OperatorCommand::Migrate(arguments) => migrate::execute(config, arguments.check, out).await,
        OperatorCommand::Keys(Keys::List(list)) => keys::list(config, list.json, out).await,
        OperatorCommand::Keys(Keys::Rotate) => keys::rotate(config, out, notes).await,
        OperatorCommand::Keys(Keys::Revoke { kid }) => keys::revoke(config, kid, out).await,
        OperatorCommand::Caller(Callers::New {
            name,
            roles,
            sans,
            lifetime,
        }) => {
            let credential = if sans.is_empty() {
                NewCredential::Key {
                    expires_in: lifetime.expires_in,
                }
            } else {
                NewCredential::Certificate(sans)
            };
            callers::add(config, name, roles, credential, out, notes).await
        }
        OperatorCommand::Caller(Callers::AddKey { name, lifetime }) => {
            callers::add_key(config, name, lifetime.expires_in, out, notes).await
        }
        OperatorCommand::Caller(Callers::RemoveKey { name, key }) => {
            callers::remove_key(config, name, key, out).await
        }
        OperatorCommand::Caller(Callers::AddSan { name, san }) => {
            caller_sans::add(config, name, san, out, notes).await
        }
        OperatorCommand::Caller(Callers::RemoveSan { name, san }) => {
            caller_sans::remove(config, name, san, out).await
        }
        OperatorCommand::Caller(Callers::List(list)) => {
            callers::list(config, list.json, out, notes).await
        }
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

fn output() -> Output<Stdout> {
    Output(io::stdout())
}

fn errors() -> Output<Stderr> {
    Output(io::stderr())
}

fn one_thread() -> Result<Runtime, Failure> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::Lacking => Self::from(FAILURE),
        }
    }
}
