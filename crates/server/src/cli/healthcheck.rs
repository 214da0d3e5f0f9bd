//! `countersign healthcheck`: what grpc-health-probe does, with its flags and
//! exit codes, so that a container needs no second program.

use std::error::Error;
use std::ffi::OsString;
use std::fmt;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use countersign_domain::ports::Clock;
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::channel;
use super::failure::with_causes;
use super::probe_arguments::{ProbeArguments, normalise};
use crate::system::SystemClock;

/// Ask a server whether it serves, as grpc-health-probe does
#[derive(Debug, Parser)]
#[command(name = "countersign healthcheck")]
struct Probe {
    #[command(flatten)]
    arguments: ProbeArguments,
}

/// What the probe found, with the exit codes of grpc-health-probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Health {
    Serving,
    WrongArguments(String),
    Unconnected(String),
    CallFailed(String),
    NotServing(ServingStatus),
}

/// Reads the arguments that follow `healthcheck`.
///
/// # Errors
/// The exit code after wrong arguments or a request for help, with the words
/// printed.
pub(super) fn read(arguments: &[OsString]) -> Result<ProbeArguments, ExitCode> {
    let name = OsString::from("countersign healthcheck");
    let words = std::iter::once(name).chain(normalise(arguments.iter().cloned()));
    Probe::try_parse_from(words)
        .map(|probe| probe.arguments)
        .map_err(|error| {
            let _ = error.print();
            ExitCode::from(u8::from(error.use_stderr()))
        })
}

/// Asks, and says what the answer is.
pub(super) async fn execute(
    arguments: &ProbeArguments,
    out: &mut dyn Write,
    errors: &mut dyn Write,
) -> ExitCode {
    let health = ask(arguments, errors).await;
    // The exit code says it too: nobody may be listening.
    let _ = match &health {
        Health::Serving => writeln!(out, "status: {health}"),
        _ => writeln!(errors, "error: {health}"),
    };
    ExitCode::from(health.exit_code())
}

/// Asks.
pub(super) async fn ask(arguments: &ProbeArguments, notes: &mut dyn Write) -> Health {
    let endpoint = match arguments.tls() {
        Ok(tls) => channel::endpoint(&arguments.addr, tls.as_ref()),
        Err(rule) => return Health::WrongArguments(rule.into()),
    };
    let endpoint = match endpoint.map(|endpoint| endpoint.user_agent(arguments.user_agent.clone()))
    {
        Ok(Ok(endpoint)) => endpoint,
        Ok(Err(_)) => return Health::WrongArguments("-user-agent must be plain text".into()),
        Err(error) => return Health::WrongArguments(error.to_string()),
    };
    let clock = SystemClock::new();
    let mut note = |what: &str, since: Duration| {
        if arguments.verbose {
            let took = clock.monotonic().saturating_sub(since);
            let _ = writeln!(notes, "{what} after {} ms", took.as_millis());
        }
    };

    let limit = arguments.connect_timeout;
    let connected = match tokio::time::timeout(limit, endpoint.connect()).await {
        Ok(Ok(channel)) => channel,
        Ok(Err(error)) => return Health::unconnected(&arguments.addr, &error),
        Err(_) => {
            return Health::Unconnected(format!(
                "no connection to {} within {limit:?}",
                arguments.addr
            ));
        }
    };
    note("connected", Duration::ZERO);

    let called = clock.monotonic();
    let limit = arguments.rpc_timeout;
    let mut request = Request::new(HealthCheckRequest {
        service: arguments.service.clone(),
    });
    request.set_timeout(limit);
    let mut client = HealthClient::new(connected);
    let answer = match tokio::time::timeout(limit, client.check(request)).await {
        Ok(Ok(answer)) => answer.into_inner(),
        Ok(Err(status)) => return Health::after(&status, arguments),
        Err(_) => return Health::late(limit),
    };
    note("answered", called);
    match answer.status() {
        ServingStatus::Serving => Health::Serving,
        other => Health::NotServing(other),
    }
}

impl Health {
    /// The exit code of grpc-health-probe.
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::Serving => 0,
            Self::WrongArguments(_) => 1,
            Self::Unconnected(_) => 2,
            Self::CallFailed(_) => 3,
            Self::NotServing(_) => 4,
        }
    }

    fn unconnected(address: &str, error: &(dyn Error + 'static)) -> Self {
        let reason = with_causes(error);
        Self::Unconnected(format!("cannot connect to {address}: {reason}"))
    }

    fn late(limit: Duration) -> Self {
        Self::CallFailed(format!("no answer within {limit:?}"))
    }

    fn after(status: &Status, arguments: &ProbeArguments) -> Self {
        let text = match status.code() {
            Code::Cancelled | Code::DeadlineExceeded => return Self::late(arguments.rpc_timeout),
            Code::NotFound => format!("the server knows no service {:?}", arguments.service),
            Code::Unimplemented => "the server does not implement grpc.health.v1.Health".into(),
            code => format!("the call failed: {code:?}: {}", status.message()),
        };
        // Only the first call shows whether a connection is of use: a status
        // that no server sent is about the connection.
        match status.source() {
            Some(source) if source.is::<tonic::transport::Error>() => {
                Self::unconnected(&arguments.addr, source)
            }
            _ => Self::CallFailed(text),
        }
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Serving => f.write_str(ServingStatus::Serving.as_str_name()),
            Self::WrongArguments(text) | Self::Unconnected(text) | Self::CallFailed(text) => {
                f.write_str(text)
            }
            Self::NotServing(status) => {
                write!(
                    f,
                    "service unhealthy (responded with {})",
                    status.as_str_name()
                )
            }
        }
    }
}
