//! `countersign audit`: the flags, with the words of `--help`.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use countersign_domain::model::AuditAction;

use super::server_arguments::ServerArguments;
use super::user_arguments::instant;

#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    /// List who did what to whom, newest first
    #[command(after_help = "Example: countersign audit list --action user_suspended,user_deleted")]
    List(ListAudit),
    /// Show the last events, oldest first, and with --follow those that come
    #[command(after_help = "Example: countersign audit tail --follow --json")]
    Tail(TailAudit),
}

#[derive(Debug, Args)]
pub(super) struct ListAudit {
    #[command(flatten)]
    pub(super) filter: AuditFilters,
    /// Before, such as 2026-11-30T00:00:00Z
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(super) until: Option<prost_types::Timestamp>,
    /// At most so many
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    pub(super) limit: u32,
    /// For programs: a JSON object a line, times in RFC 3339
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) server: ServerArguments,
}

#[derive(Debug, Args)]
pub(super) struct TailAudit {
    #[command(flatten)]
    pub(super) filter: AuditFilters,
    /// How many of the last events are shown first
    #[arg(long, short = 'n', value_name = "NUMBER", default_value_t = 20)]
    pub(super) lines: u32,
    /// Go on with events as they come, until it is stopped. Guesses at an account are shown
    /// again when more have come
    #[arg(long, short = 'f')]
    pub(super) follow: bool,
    /// For programs: a JSON object a line, times in RFC 3339
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) server: ServerArguments,
}

/// Which events are shown.
#[derive(Debug, Args)]
pub(super) struct AuditFilters {
    /// What was done to this user
    #[arg(long, value_name = "USER", help_heading = "Which events")]
    pub(super) user: Option<String>,
    /// What this caller did
    #[arg(long, value_name = "CALLER", help_heading = "Which events")]
    pub(super) caller: Option<String>,
    /// What was done in this group
    #[arg(long, value_name = "GROUP", help_heading = "Which events")]
    pub(super) group: Option<String>,
    /// What was done to this session, or with it
    #[arg(long, value_name = "SESSION", help_heading = "Which events")]
    pub(super) session: Option<String>,
    /// Of these actions, with commas between them
    #[arg(long = "action", value_name = "ACTIONS", value_delimiter = ',',
          value_parser = PossibleValuesParser::new(names()), help_heading = "Which events")]
    pub(super) actions: Vec<String>,
    /// With this outcome
    #[arg(long, value_name = "OUTCOME", value_parser = ["succeeded", "refused"],
          help_heading = "Which events")]
    pub(super) outcome: Option<String>,
    /// Then or later, such as 2026-11-29T00:00:00Z
    #[arg(long, value_name = "TIME", value_parser = instant, help_heading = "Which events")]
    pub(super) since: Option<prost_types::Timestamp>,
}

fn names() -> impl Iterator<Item = &'static str> {
    AuditAction::ALL.iter().map(|action| action.as_str())
}

impl Audit {
    /// Where the server is.
    pub(super) fn server(&mut self) -> &mut ServerArguments {
        match self {
            Self::List(list) => &mut list.server,
            Self::Tail(tail) => &mut tail.server,
        }
    }
}
