//! The arguments of `countersign token`.

use std::time::Duration;

use clap::{Args, Subcommand};
use humantime_serde::re::humantime;

use super::server_arguments::ServerArguments;

#[derive(Debug, Subcommand)]
pub(super) enum Token {
    /// Show what a token says, and which token profile it is one of, and why of no other
    ///
    /// Nothing is connected to: whether a token of the main form is good, and whether
    /// any is revoked, tells `countersign token validate`.
    #[command(after_help = "Example: countersign token decode - < token.txt")]
    Decode {
        /// The token, or - to read it from the standard input
        #[arg(value_name = "TOKEN", allow_hyphen_values = true)]
        token: String,
    },
    /// Sign a sample in the form of a token profile, to compare with the other server's
    ///
    /// It is a token as the other server issues it, without a session, and is accepted
    /// as one until it expires. Nothing is connected to.
    #[command(
        after_help = "Example: countersign token issue --profile django --external-id 7 \
                      --config /etc/countersign.toml"
    )]
    Issue(TokenIssue),
    /// Ask a server whether an access token is good; exits with 1 if it is not
    #[command(
        after_help = "Example: countersign token validate - --addr localhost:50051 < token.txt"
    )]
    Validate(TokenValidate),
}

#[derive(Debug, Args)]
pub(super) struct TokenIssue {
    /// The token profile, as tokens.profiles names it
    #[arg(long, value_name = "NAME")]
    pub(super) profile: String,
    /// The id of the user in the other server
    #[arg(long, value_name = "ID")]
    pub(super) external_id: String,
    /// Sign a refresh token
    #[arg(long)]
    pub(super) refresh: bool,
    /// How long it is good, at most 1h
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = lifetime)]
    pub(super) expires_in: Duration,
}

#[derive(Debug, Args)]
pub(super) struct TokenValidate {
    /// The token, or - to read it from the standard input
    #[arg(value_name = "TOKEN", allow_hyphen_values = true)]
    pub(super) token: String,
    /// For whom it must be meant [default: the first of tokens.audiences]
    #[arg(
        long,
        value_name = "AUDIENCE",
        default_value = "",
        hide_default_value = true
    )]
    pub(super) audience: String,
    /// A scope that it must have; may be given several times
    #[arg(long = "scope", value_name = "SCOPE")]
    pub(super) scopes: Vec<String>,
    #[command(flatten)]
    pub(super) server: ServerArguments,
}

fn lifetime(text: &str) -> Result<Duration, &'static str> {
    let time = humantime::parse_duration(text).ok();
    time.filter(|time| (1..=3_600).contains(&time.as_secs()))
        .ok_or("must be a duration such as 30s or 5m, of at most one hour")
}
