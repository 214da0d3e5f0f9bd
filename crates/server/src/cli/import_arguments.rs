//! `countersign import`: the flags, with the words of `--help`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use countersign_domain::model::HashFormat;

use super::server_arguments::ServerArguments;

pub(super) const EXAMPLES: &str = "\
Example: countersign import --from users.csv --report refused.jsonl --dry-run
Example: countersign import --from users.csv --report refused.jsonl
Example: countersign import --from database --config /etc/countersign.toml

A file of CSV begins with the names of its columns, JSON Lines have one object a line
with the same names; external_id is required, all others may be absent:
  external_id, group, emails (or email), email_verified, phones (or phone),
  phone_verified, username, password_hash, hash_format, name, locale, time_zone,
  attributes (JSON), roles, scopes, state (active, pending, suspended, withdrawn),
  suspension_reason, suspended_at, suspended_until, withdrawn_at, created_at
Several emails, phones, roles or scopes have commas between them, in JSON they are an
array. Addresses count as verified unless email_verified or phone_verified says no; one
that is not verified is left out.

Running it again is right after whatever has happened: who is there stays as it is.

Exit codes: 0 all are there; 1 some were refused, it was interrupted, or there was
nobody; 64 wrong usage, also a column that is not known; 69 the server or the database
cannot be reached; 78 wrong configuration.";

#[derive(Debug, Args)]
pub(super) struct Import {
    /// A file (users.csv, users.jsonl), or `database`: the table of [legacy] in the
    /// configuration
    #[arg(long, value_name = "SOURCE")]
    pub(super) from: PathBuf,
    /// What the file is [default: what its name ends with]
    #[arg(long, value_name = "FORMAT")]
    pub(super) format: Option<FileFormat>,
    /// The group of those who name none [default: default, or legacy.group]
    #[arg(long, value_name = "GROUP")]
    pub(super) group: Option<String>,
    /// The format of hashes that name none, such as sha1(salt+password) [default: auto,
    /// or legacy.hash]
    #[arg(long, value_name = "FORMAT")]
    pub(super) hash_format: Option<HashFormat>,
    /// Check everything, and write nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Write who was refused and why to this file, as JSON Lines
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,
    /// How many users are sent at once
    #[arg(long, value_name = "NUMBER", default_value = "250",
          value_parser = clap::value_parser!(u16).range(1..=500))]
    pub(super) batch: u16,
    /// How many batches are under way
    #[arg(long, value_name = "NUMBER", default_value = "2",
          value_parser = clap::value_parser!(u16).range(1..=16))]
    pub(super) in_flight: u16,
    /// For programs: the summary as a JSON object
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) server: ServerArguments,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FileFormat {
    /// Comma-separated values, with a header
    Csv,
    /// One JSON object a line
    Jsonl,
}

/// From where users come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    Database,
    File(PathBuf, FileFormat),
}

impl Import {
    /// From where users come.
    ///
    /// # Errors
    /// What to say of a file that has no telling name.
    pub(super) fn source(&self) -> Result<Source, &'static str> {
        if self.from.as_os_str() == "database" {
            return Ok(Source::Database);
        }
        let ending = self.from.extension().and_then(|ending| ending.to_str());
        let format = match (self.format, ending.map(str::to_ascii_lowercase).as_deref()) {
            (Some(format), _) => format,
            (None, Some("csv")) => FileFormat::Csv,
            (None, Some("jsonl" | "ndjson")) => FileFormat::Jsonl,
            (None, _) => {
                return Err(
                    "--from must be `database`, or a file whose name ends with .csv or .jsonl; \
                     else --format says what it is",
                );
            }
        };
        Ok(Source::File(self.from.clone(), format))
    }
}
