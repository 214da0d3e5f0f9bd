//! The command line.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

/// Measures Countersign beside the best known floor, in one interleaved run.
///
/// Every figure is a ratio of two things measured in turn (A B A B …) on the
/// same machine; only answers that were checked count. The server and the floor
/// run as child processes, on loopback and in a temporary directory.
///
/// Build both programs first:
///
///   cargo build --release -p countersign-server -p countersign-bench
#[derive(Debug, Parser)]
#[command(name = "countersign-bench", verbatim_doc_comment, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// What to measure.
    #[arg(value_enum, default_value = "all")]
    pub(crate) what: What,

    /// Rounds of each side; medians need at least five.
    #[arg(long, default_value = "5", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) rounds: u32,

    /// Seconds in one round of one side. Where others are at work, many short
    /// rounds tell more than a few long ones.
    #[arg(long, default_value = "2", value_parser = seconds)]
    seconds: f64,

    /// The server's program [default: `countersign` beside this one].
    #[arg(long, value_name = "PATH")]
    pub(crate) server: Option<PathBuf>,

    /// A setting of the server, such as `log.filter=warn`. May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = setting)]
    pub(crate) settings: Vec<(String, String)>,

    /// Connections to the server.
    #[arg(long, default_value = "8")]
    pub(crate) connections: NonZeroUsize,

    /// validate, auth-verify: calls in flight, over all connections.
    #[arg(long, default_value = "128")]
    pub(crate) in_flight: NonZeroUsize,

    /// validate, check, auth-verify: different tokens, drawn evenly.
    #[arg(long, default_value = "10000", value_parser = clap::value_parser!(u32).range(1..=2_000_000))]
    pub(crate) tokens: u32,

    /// validate: send so many calls a second whatever the answers do, and show
    /// latencies from the due time instead of rates.
    #[arg(long, value_name = "RATE")]
    pub(crate) open_loop: Option<NonZeroU32>,

    /// issue: sign-ins in flight [default: eight for each core].
    #[arg(long)]
    pub(crate) sign_ins: Option<NonZeroUsize>,

    /// refresh, growth: sessions at once. codes, messages: callers at once.
    #[arg(long, default_value = "64")]
    pub(crate) sessions: NonZeroUsize,

    /// refresh, messages, growth: the PostgreSQL in which databases are created
    /// and dropped.
    #[arg(
        long,
        value_name = "URL",
        default_value = "postgres://root@127.0.0.1:5432/test"
    )]
    pub(crate) postgres: String,

    /// growth: the MariaDB in which databases are created and dropped. Its
    /// buffer pool has to hold a million sessions: 1 GiB does.
    #[arg(
        long,
        value_name = "URL",
        default_value = "mysql://root@127.0.0.1:3306/test"
    )]
    pub(crate) mariadb: String,

    /// refresh, messages: a Redis for the server, instead of its in-process
    /// store.
    #[arg(long, value_name = "URL")]
    pub(crate) redis: Option<String>,

    /// Also write every sample to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// floor-echo, floor-check: the size of an answer.
    #[arg(long, hide = true, default_value = "173")]
    pub(crate) answer_bytes: usize,
}

/// What to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum What {
    /// ValidateToken beside a bare echo of the same sizes on the same transport
    Validate,
    /// Check, as Envoy asks it, beside a bare handler that reads and answers as much
    Check,
    /// The gateway's /auth/verify, as nginx asks it, beside a bare axum handler
    AuthVerify,
    /// IssueTokens with a password beside Argon2id alone on every core
    Issue,
    /// IssueTokens and a code of an authenticator app beside IssueTokens alone
    SecondFactor,
    /// ValidateToken at 2,000 a second beside ten times the sign-ins that can be hashed
    Storm,
    /// RefreshTokens on PostgreSQL beside the bare conditional UPDATE; also on SQLite
    Refresh,
    /// SendCode with an own code and CheckCode on Redis beside the bare EVAL
    Codes,
    /// SendCode with a message on PostgreSQL beside the bare INSERT
    Messages,
    /// ValidateToken with a million revocations beside a thousand
    Revocations,
    /// Sign-in, refresh and cleaning with a million sessions beside a thousand
    Growth,
    /// Sign-in with a million users beside a thousand
    GrowthUsers,
    /// ImportUsers beside a plain insert on PostgreSQL, and beside validations
    Import,
    /// The idle server's memory, and the time until its first answer
    Memory,
    /// All of them
    All,
    /// The echo, as a process of its own
    #[value(hide = true)]
    FloorEcho,
    /// The bare handler, as a process of its own
    #[value(hide = true)]
    FloorCheck,
    /// The bare axum handler, as a process of its own
    #[value(hide = true)]
    FloorVerify,
    /// Threads of idle priority that spin, as a process of its own
    #[value(hide = true)]
    FloorSpin,
}

const EXAMPLES: &str = "\
Examples:
  countersign-bench validate                    about 25 seconds
  countersign-bench validate --rounds 40 --seconds 0.5
  countersign-bench validate --tokens 1000000
  countersign-bench validate --open-loop 5000   latencies
  countersign-bench refresh --set log.filter=warn
  countersign-bench all --json figures.json";

impl Arguments {
    /// Callers at once.
    pub(crate) fn callers(&self) -> u32 {
        u32::try_from(self.sessions.get()).unwrap_or(u32::MAX)
    }

    pub(crate) fn round(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok();
    seconds
        .filter(|seconds| (0.1..=600.0).contains(seconds))
        .ok_or_else(|| "must be 0.1 to 600".into())
}

fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.into(), value.into())),
        _ => Err("must be KEY=VALUE, as log.filter=warn".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(["countersign-bench"].iter().chain(arguments))
    }

    #[test]
    fn without_arguments_everything_is_measured_in_five_rounds() {
        let arguments = parse(&[]).unwrap();
        assert_eq!(arguments.what, What::All);
        assert_eq!(arguments.rounds, 5);
        assert_eq!(arguments.round(), Duration::from_secs(2));
    }

    #[test]
    fn settings_of_the_server_are_read_in_order() {
        let arguments = parse(&["refresh", "--set", "log.filter=warn", "--set", "a.b=c=d"]);
        let expected = [("log.filter", "warn"), ("a.b", "c=d")];
        let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(arguments.unwrap().settings, expected);
    }

    #[test]
    fn what_cannot_be_measured_is_refused() {
        for wrong in [
            &["sign-up"][..],
            &["--rounds", "0"],
            &["--seconds", "0"],
            &["--seconds", "NaN"],
            &["--set", "log.filter"],
            &["validate", "--open-loop", "0"],
            &["validate", "--tokens", "0"],
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
