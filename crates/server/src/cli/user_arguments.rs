//! `countersign user` and `countersign session`: the flags, with the words of `--help`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::server_arguments::ServerArguments;

#[derive(Debug, Subcommand)]
pub(super) enum Users {
    /// List users, newest first
    ///
    /// Those whose identifiers begin with something are listed in the order of these.
    #[command(after_help = "Example: countersign user list --state suspended")]
    List(ListUsers),
    /// Show a user
    #[command(after_help = "Example: countersign user show 01890a5d-ac96-774b-bcce-b302099a8057")]
    Show(OneUser),
    /// Add a user, whose addresses count as verified
    #[command(after_help = "Example: countersign user create --email mina@example.com --name Mina")]
    Create(CreateUser),
    /// Change a user: what no flag names stays as it is
    #[command(
        after_help = "Example: countersign user update 01890a5d-ac96-774b-bcce-b302099a8057 \
                            --roles staff,admin"
    )]
    Update(UpdateUser),
    /// Keep a user from signing in, and end all sessions
    #[command(after_help = "Example: countersign user suspend \
                            01890a5d-ac96-774b-bcce-b302099a8057 --reason spam \
                            --until 2027-01-31T00:00:00Z")]
    Suspend(SuspendUser),
    /// Take a suspension or a withdrawal back
    #[command(
        after_help = "Example: countersign user reinstate 01890a5d-ac96-774b-bcce-b302099a8057"
    )]
    Reinstate(OneUser),
    /// Let a user leave, and end all sessions
    #[command(
        after_help = "Example: countersign user withdraw 01890a5d-ac96-774b-bcce-b302099a8057"
    )]
    Withdraw(OneUser),
    /// Delete a user with all that is its own
    #[command(after_help = "Example: countersign user delete 01890a5d-ac96-774b-bcce-b302099a8057")]
    Delete(DeleteUser),
}

#[derive(Debug, Subcommand)]
pub(super) enum Sessions {
    /// List the live sessions of a user, newest first
    #[command(after_help = "Example: countersign session list --user \
                            01890a5d-ac96-774b-bcce-b302099a8057")]
    List(ListSessions),
    /// End a session of a user, or all of them
    #[command(after_help = "Example: countersign session revoke --user \
                            01890a5d-ac96-774b-bcce-b302099a8057 --all")]
    Revoke(RevokeSessions),
}

#[derive(Debug, Args)]
pub(super) struct ListUsers {
    /// Of this group [default: of all]
    #[arg(long, value_name = "GROUP")]
    pub(super) group: Option<String>,
    /// In this state
    #[arg(long, value_name = "STATE",
          value_parser = ["pending", "active", "suspended", "withdrawn", "erased"])]
    pub(super) state: Option<String>,
    /// With this role
    #[arg(long, value_name = "ROLE")]
    pub(super) role: Option<String>,
    /// With an e-mail address that begins so; needs --group
    #[arg(long, value_name = "TEXT", group = "prefix", requires = "group")]
    pub(super) email_prefix: Option<String>,
    /// With a phone number that begins so, such as +8210; needs --group
    #[arg(long, value_name = "TEXT", group = "prefix", requires = "group")]
    pub(super) phone_prefix: Option<String>,
    /// With a user name that begins so; needs --group
    #[arg(long, value_name = "TEXT", group = "prefix", requires = "group")]
    pub(super) username_prefix: Option<String>,
    /// Created then or later, such as 2026-11-29T00:00:00Z
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(super) created_from: Option<prost_types::Timestamp>,
    /// Created before, such as 2026-11-30T00:00:00Z
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(super) created_before: Option<prost_types::Timestamp>,
    /// Oldest first
    #[arg(long)]
    pub(super) oldest_first: bool,
    /// At most so many
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    pub(super) limit: u32,
    /// For programs: as a JSON array of objects, times in RFC 3339
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) server: ServerArguments,
}

#[derive(Debug, Args)]
pub(super) struct OneUser {
    #[command(flatten)]
    pub(super) version: Version,
    /// For programs: as a JSON object, times in RFC 3339
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) server: ServerArguments,
}

/// A user, and the version that was read.
#[derive(Debug, Args)]
pub(super) struct Version {
    /// The id of the user
    #[arg(value_name = "USER")]
    pub(super) id: String,
    /// Refuse the change if the user was changed since this etag was read
    #[arg(
        long,
        value_name = "ETAG",
        default_value = "",
        hide_default_value = true
    )]
    pub(super) etag: String,
}

#[derive(Debug, Args)]
pub(super) struct CreateUser {
    /// In this group [default: default]
    #[arg(long, value_name = "GROUP")]
    pub(super) group: Option<String>,
    /// An e-mail address; may be given several times
    #[arg(long = "email", value_name = "ADDRESS")]
    pub(super) emails: Vec<String>,
    /// A phone number; may be given several times
    #[arg(long = "phone", value_name = "NUMBER")]
    pub(super) phones: Vec<String>,
    /// A user name
    #[arg(long, value_name = "NAME")]
    pub(super) username: Option<String>,
    /// A file whose first line is the password, such as /dev/stdin [default: none: the
    /// person sets one, or signs in with codes]
    #[arg(long, value_name = "FILE")]
    pub(super) password_file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) fields: UserFields,
    /// For programs: as a JSON object, times in RFC 3339
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) server: ServerArguments,
}

#[derive(Debug, Args)]
pub(super) struct UpdateUser {
    #[command(flatten)]
    pub(super) version: Version,
    #[command(flatten)]
    pub(super) fields: UserFields,
    /// For programs: as a JSON object, times in RFC 3339
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) server: ServerArguments,
}

/// What is written into a user. An empty text removes what is there.
#[derive(Debug, Args)]
pub(super) struct UserFields {
    /// The name of the person
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,
    /// The language, such as ko
    #[arg(long, value_name = "LANGUAGE")]
    pub(super) locale: Option<String>,
    /// The time zone, such as Asia/Seoul
    #[arg(long, value_name = "ZONE")]
    pub(super) time_zone: Option<String>,
    /// Attributes, as a JSON object
    #[arg(long, value_name = "JSON")]
    pub(super) attributes: Option<String>,
    /// The id in another system
    #[arg(long, value_name = "ID")]
    pub(super) external_id: Option<String>,
    /// The roles, with commas between them
    #[arg(long, value_name = "ROLES")]
    pub(super) roles: Option<String>,
    /// The scopes, with commas between them
    #[arg(long, value_name = "SCOPES")]
    pub(super) scopes: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct SuspendUser {
    #[command(flatten)]
    pub(super) version: Version,
    /// Why, for operators
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    pub(super) reason: String,
    /// When it ends by itself, such as 2027-01-31T00:00:00Z [default: never]
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(super) until: Option<prost_types::Timestamp>,
    /// For programs: as a JSON object, times in RFC 3339
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) server: ServerArguments,
}

#[derive(Debug, Args)]
pub(super) struct DeleteUser {
    #[command(flatten)]
    pub(super) version: Version,
    #[command(flatten)]
    pub(super) server: ServerArguments,
}

#[derive(Debug, Args)]
pub(super) struct ListSessions {
    /// The id of the user
    #[arg(long, value_name = "USER")]
    pub(super) user: String,
    /// For programs: as a JSON array of objects, times in RFC 3339
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) server: ServerArguments,
}

#[derive(Debug, Args)]
pub(super) struct RevokeSessions {
    /// The id of the user
    #[arg(long, value_name = "USER")]
    pub(super) user: String,
    /// The id of the session, as `countersign session list` shows it
    #[arg(value_name = "SESSION", required_unless_present = "all")]
    pub(super) session: Option<String>,
    /// End all of them
    #[arg(long, conflicts_with = "session")]
    pub(super) all: bool,
    #[command(flatten)]
    pub(super) server: ServerArguments,
}

impl Users {
    /// Where the server is.
    pub(super) fn server(&mut self) -> &mut ServerArguments {
        match self {
            Self::List(list) => &mut list.server,
            Self::Show(user) | Self::Reinstate(user) | Self::Withdraw(user) => &mut user.server,
            Self::Create(create) => &mut create.server,
            Self::Update(update) => &mut update.server,
            Self::Suspend(suspend) => &mut suspend.server,
            Self::Delete(delete) => &mut delete.server,
        }
    }
}

impl Sessions {
    /// Where the server is.
    pub(super) fn server(&mut self) -> &mut ServerArguments {
        match self {
            Self::List(list) => &mut list.server,
            Self::Revoke(revoke) => &mut revoke.server,
        }
    }
}

/// Reads an instant.
pub(super) fn instant(text: &str) -> Result<prost_types::Timestamp, &'static str> {
    text.parse()
        .map_err(|_| "must be a time in RFC 3339 such as 2027-01-31T00:00:00Z")
}
