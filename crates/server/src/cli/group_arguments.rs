//! `countersign group`: the flags, with the words of `--help`.

use clap::{Args, Subcommand};
use countersign_proto::v1::{MfaPolicy, SignInWay};
use humantime_serde::re::humantime;

use super::group_attributes::{Attributes, attributes};
use super::server_arguments::ServerArguments;

#[derive(Debug, Subcommand)]
pub(super) enum Groups {
    /// List the groups
    #[command(after_help = "Example: countersign group list")]
    List(ListGroups),
    /// Show a group and its policy
    #[command(after_help = "Example: countersign group show staff")]
    Show(OneGroup),
    /// Make a group
    ///
    /// What no flag names is as the server's configuration has it.
    #[command(
        after_help = "Example: countersign group create staff --mfa-policy required \
                            --sign-up no"
    )]
    Create(WriteGroup),
    /// Change a group: what no flag names stays as it is
    ///
    /// What is given an empty text is as the server's configuration has it from then on.
    #[command(after_help = "Example: countersign group update staff --idle-ttl 12h \
                            --sign-in-ways passkey --mfa-policy ''")]
    Update(UpdateGroup),
    /// Delete a group in which no user and no service account is
    #[command(after_help = "Example: countersign group delete staff")]
    Delete(DeleteGroup),
}

#[derive(Debug, Args)]
pub(super) struct ListGroups {
    /// For programs: as a JSON array of objects, times in RFC 3339
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) server: ServerArguments,
}

#[derive(Debug, Args)]
pub(super) struct OneGroup {
    /// The id of the group
    #[arg(value_name = "GROUP")]
    pub(super) id: String,
    /// For programs: as a JSON object, times in RFC 3339
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) server: ServerArguments,
}

#[derive(Debug, Args)]
pub(super) struct WriteGroup {
    /// The id of the group: 1 to 64 lower-case letters, digits and hyphens
    #[arg(value_name = "GROUP")]
    pub(super) id: String,
    #[command(flatten)]
    pub(super) fields: GroupFields,
    /// For programs: as a JSON object, times in RFC 3339
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) server: ServerArguments,
}

#[derive(Debug, Args)]
pub(super) struct UpdateGroup {
    #[command(flatten)]
    pub(super) group: WriteGroup,
    #[command(flatten)]
    pub(super) version: GroupVersion,
}

#[derive(Debug, Args)]
pub(super) struct DeleteGroup {
    /// The id of the group
    #[arg(value_name = "GROUP")]
    pub(super) id: String,
    #[command(flatten)]
    pub(super) version: GroupVersion,
    #[command(flatten)]
    pub(super) server: ServerArguments,
}

#[derive(Debug, Args)]
pub(super) struct GroupVersion {
    /// Refuse the change if the group was changed since this etag was read
    #[arg(
        long,
        value_name = "ETAG",
        default_value = "",
        hide_default_value = true
    )]
    pub(super) etag: String,
}

/// What is written into a group. The inner option is absent for an empty text: as the
/// server's configuration has it.
#[derive(Debug, Args)]
pub(super) struct GroupFields {
    /// What people call it
    #[arg(long, value_name = "NAME")]
    pub(super) display_name: Option<String>,
    /// The fewest characters of a password that is set
    #[arg(long, value_name = "NUMBER", value_parser = number)]
    pub(super) password_min_length: Option<Setting<i32>>,
    /// Who is asked for a second factor: off, optional, required or
    /// required_for_unknown_devices
    #[arg(long, value_name = "POLICY", value_parser = mfa_policy)]
    pub(super) mfa_policy: Option<Setting<MfaPolicy>>,
    /// How long an access token is good, such as 60s
    #[arg(long, value_name = "TIME", value_parser = lifetime)]
    pub(super) access_token_ttl: Option<Setting<prost_types::Duration>>,
    /// How long a session lives without a refresh, such as 12h
    #[arg(long, value_name = "TIME", value_parser = lifetime)]
    pub(super) idle_ttl: Option<Setting<prost_types::Duration>>,
    /// How long a session lives in any case, such as 30d
    #[arg(long, value_name = "TIME", value_parser = lifetime)]
    pub(super) session_ttl: Option<Setting<prost_types::Duration>>,
    /// The ways to sign in, with commas between them: password, verified_code, passkey
    #[arg(long, value_name = "WAYS", value_parser = sign_in_ways)]
    pub(super) sign_in_ways: Option<Ways>,
    /// The audiences for which tokens are issued, with commas between them, the first by
    /// default
    #[arg(long, value_name = "AUDIENCES")]
    pub(super) audiences: Option<String>,
    /// The scopes that everybody may ask for, with commas between them
    #[arg(long, value_name = "SCOPES")]
    pub(super) scopes: Option<String>,
    /// Whether people may sign up by themselves: yes or no
    #[arg(long, value_name = "YES|NO", value_parser = yes_or_no)]
    pub(super) sign_up: Option<Setting<bool>>,
    /// The attributes that people see in their profile, with commas between them, such as
    /// nickname:string:40:writable,tier:number
    #[arg(long, value_name = "ATTRIBUTES", value_parser = attributes)]
    pub(super) profile_attributes: Option<Attributes>,
}

/// A setting of a group; with none it is as the server's configuration has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting<T>(pub(super) Option<T>);

/// Ways to sign in.
#[derive(Debug, Clone)]
pub(super) struct Ways(pub(super) Vec<SignInWay>);

impl Groups {
    /// Where the server is.
    pub(super) fn server(&mut self) -> &mut ServerArguments {
        match self {
            Self::List(list) => &mut list.server,
            Self::Show(group) => &mut group.server,
            Self::Create(create) => &mut create.server,
            Self::Update(update) => &mut update.group.server,
            Self::Delete(delete) => &mut delete.server,
        }
    }
}

/// Reads a setting: an empty text is none.
fn setting<T>(
    text: &str,
    rule: &'static str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Setting<T>, &'static str> {
    match text {
        "" => Ok(Setting(None)),
        text => read(text).map(|value| Setting(Some(value))).ok_or(rule),
    }
}

fn number(text: &str) -> Result<Setting<i32>, &'static str> {
    setting(text, "must be a whole number", |text| text.parse().ok())
}

fn lifetime(text: &str) -> Result<Setting<prost_types::Duration>, &'static str> {
    let rule = "must be a duration in whole seconds such as 60s, 12h or 30d";
    setting(text, rule, |text| {
        let time = humantime::parse_duration(text).ok();
        let time = time.filter(|time| time.subsec_nanos() == 0)?;
        Some(prost_types::Duration {
            seconds: i64::try_from(time.as_secs()).ok()?,
            nanos: 0,
        })
    })
}

fn mfa_policy(text: &str) -> Result<Setting<MfaPolicy>, &'static str> {
    let rule = "must be off, optional, required or required_for_unknown_devices";
    setting(text, rule, |text| {
        MfaPolicy::from_str_name(&format!("MFA_POLICY_{}", text.to_ascii_uppercase()))
            .filter(|policy| *policy != MfaPolicy::Unspecified)
    })
}

fn yes_or_no(text: &str) -> Result<Setting<bool>, &'static str> {
    setting(text, "must be yes or no", |text| match text {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    })
}

fn sign_in_ways(text: &str) -> Result<Ways, &'static str> {
    let words = text.split(',').map(str::trim);
    let ways = words.filter(|word| !word.is_empty()).map(|word| {
        SignInWay::from_str_name(&format!("SIGN_IN_WAY_{}", word.to_ascii_uppercase()))
            .filter(|way| *way != SignInWay::Unspecified)
    });
    let ways: Option<Vec<_>> = ways.collect();
    ways.map(Ways)
        .ok_or("must be some of password, verified_code and passkey")
}
