//! The commands and flags, with the words of `--help`.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use countersign_domain::model::{CallerName, KeyId, Role, SubjectAltName};
use humantime_serde::re::humantime;

use super::audit_arguments::Audit;
use super::group_arguments::Groups;
use super::import_arguments::{self, Import};
use super::probe_arguments::ProbeArguments;
use super::server_arguments::ServerArguments;
use super::service_account_arguments::ServiceAccounts;
use super::token_arguments::Token;
use super::user_arguments::{Sessions, Users};
use crate::config::Flags;

/// A gRPC identity service: sign-up, verification codes, tokens, sessions.
///
/// Without a command it serves. Nothing needs to be configured: it then listens
/// on 127.0.0.1:50051 and keeps everything in the directory countersign-data.
#[derive(Debug, Parser)]
#[command(
    name = "countersign",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    after_help = "Settings come from the configuration file, over it environment variables such \
                  as COUNTERSIGN__SERVER__LISTEN (or …_FILE, the path of a file with the value), \
                  over them the flags. `countersign config` shows the result.\n\n\
                  Exit codes: 0 done; 1 refused, failed, or found to be undone; 64 wrong usage; 69 \
                  the database, Redis or the server cannot be reached; 78 wrong configuration. \
                  healthcheck has those of grpc-health-probe.\n\n\
                  Example: countersign --data-dir /var/lib/countersign --listen 127.0.0.1:50051"
)]
pub(super) struct Arguments {
    /// TOML file with settings [environment variable: COUNTERSIGN_CONFIG]
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        help_heading = "Configuration"
    )]
    pub(super) config: Option<PathBuf>,
    #[command(flatten)]
    pub(super) flags: Flags,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Serve until SIGTERM or SIGINT (the default)
    #[command(after_help = "Example: countersign serve --config /etc/countersign.toml")]
    Serve,
    /// Serve HTTP alone, for a service elsewhere, until SIGTERM or SIGINT
    ///
    /// Everything is read from the configuration, section [gateway]; gateway.endpoint
    /// names the service, gateway.api_key is that of a caller with the role gateway, and
    /// tokens.issuer is that of the service. `countersign serve` has a gateway of its own
    /// where gateway.listen says so.
    #[command(after_help = "Example: countersign gateway --config /etc/countersign.toml")]
    Gateway,
    /// Walk the main job against a running server: from a code to a revoked token
    ///
    /// Signs up a person with a random address, signs in, validates, refreshes,
    /// enrols an authenticator app, asks for it in the session (step-up), revokes,
    /// signs in with it on a known device, and by a code alone, and shows each call
    /// and its answer. No session is left; the person stays in the database. Where
    /// mail is set up, one notice goes to the address, at example.com.
    #[command(after_help = "Example: countersign try --addr localhost:50051\n\n\
                            A server that knows callers wants the key of one with both roles:\n  \
                            countersign caller new --name try --role gateway --role service\n  \
                            countersign try --api-key csk_…")]
    Try(Try),
    /// Ask a server whether it serves, as grpc-health-probe does
    Healthcheck(ProbeArguments),
    #[command(flatten)]
    Operator(OperatorCommand),
    /// Look after users, through a running server
    #[command(subcommand)]
    User(Users),
    /// Make, change or delete groups, through a running server
    #[command(subcommand)]
    Group(Groups),
    /// Look after service accounts, through a running server
    #[command(subcommand)]
    ServiceAccount(ServiceAccounts),
    /// List or end the sessions of a user, through a running server
    #[command(subcommand)]
    Session(Sessions),
    /// Show who did what to whom, through a running server
    #[command(subcommand)]
    Audit(Audit),
    /// Look at tokens, and compare those of token profiles with another server's
    #[command(subcommand)]
    Token(Token),
    /// Try out the providers of messages
    #[command(subcommand)]
    Message(Message),
    /// Look at the users of an existing database
    #[command(subcommand)]
    Legacy(Legacy),
    /// Import the users of another system, from a file or its database, through a
    /// running server
    ///
    /// They keep the passwords that they have. Who is there already, by the external id,
    /// stays as it is.
    #[command(after_help = import_arguments::EXAMPLES)]
    Import(Import),
    /// Print the configuration in effect as TOML, secrets masked
    #[command(after_help = "Example: countersign config --config /etc/countersign.toml")]
    Config {
        #[command(subcommand)]
        command: Option<ConfigCommand>,
    },
    /// Print what completes commands and flags in a shell
    #[command(after_help = "Example: countersign completions bash \
                            > /usr/share/bash-completion/completions/countersign")]
    Completions {
        /// The shell
        #[arg(value_name = "SHELL")]
        shell: Shell,
    },
    /// Print the manual page, or write those of all commands to a directory
    #[command(after_help = "Example: countersign man --dir /usr/local/share/man/man1")]
    Man {
        /// Write countersign.1, countersign-keys.1 and all others there
        #[arg(long, value_name = "DIRECTORY")]
        dir: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Message {
    /// Send one message by the providers of the configuration, and list what they say
    ///
    /// They are tried as they are for codes: in their order, until one takes it.
    /// No server and no database is needed. Exits with 1 if none took it.
    #[command(after_help = "Example: countersign message test --to mina@example.com")]
    Test(MessageTest),
}

#[derive(Debug, Subcommand)]
pub(super) enum Legacy {
    /// Read the users as [legacy] in the configuration says, and name those who cannot
    /// be adopted
    ///
    /// Shows a few users with their addresses masked, counts states and formats of
    /// hashes, and lists the rows with which something is wrong. Nothing is written,
    /// and no server is needed. Exits with 1 if a row cannot be adopted as it is, with
    /// 78 if the table or a column is not there, with 69 if the database does not answer.
    #[command(after_help = "Example: countersign legacy check --config /etc/countersign.toml")]
    Check(LegacyCheck),
}

#[derive(Debug, Args)]
pub(super) struct LegacyCheck {
    /// Only the row with this id
    #[arg(long, value_name = "ID")]
    pub(super) id: Option<String>,
    /// For programs: as a JSON object
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct MessageTest {
    /// An e-mail address or a phone number
    #[arg(long, value_name = "ADDRESS")]
    pub(super) to: String,
    /// The language of the message
    #[arg(long, value_name = "LANGUAGE", default_value = "en", value_parser = ["en", "ko"])]
    pub(super) locale: String,
    /// Try this provider alone
    #[arg(long, value_name = "NAME")]
    pub(super) provider: Option<String>,
    /// For programs: as a JSON array of objects
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Check the configuration, as a start does, and tell every mistake
    ///
    /// The files of TLS must be there, be readable and fit together. Nothing is started, connected
    /// to or changed. Exits with 78 if the configuration is wrong.
    #[command(after_help = "Example: countersign config check --config /etc/countersign.toml")]
    Check,
}

/// The commands that work on the database of the configuration. Of them
/// `migrate` alone makes or changes tables.
#[derive(Debug, Subcommand)]
pub(super) enum OperatorCommand {
    /// Bring the tables of the database up to date
    #[command(after_help = "Example: countersign migrate --check || countersign migrate")]
    Migrate(Migrate),
    /// Copy the SQLite database to a new file, while servers may run
    ///
    /// The copy is complete and consistent, which a plain copy of the file is
    /// not. PostgreSQL and MySQL have tools of their own. The master key is not
    /// in the database: keep it, too, elsewhere.
    #[command(after_help = "Example: countersign backup /var/backups/countersign.db")]
    Backup {
        /// The file to make, which must not exist
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// List, rotate or revoke the keys that sign access tokens
    #[command(subcommand)]
    Keys(Keys),
    /// Add, list or remove the programs that may call the service
    #[command(subcommand)]
    Caller(Callers),
}

#[derive(Debug, Args)]
pub(super) struct Migrate {
    /// Change nothing: exit with 1 if there is something to do
    #[arg(long)]
    pub(super) check: bool,
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// For programs: as a JSON array of objects, times in RFC 3339
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// List the signing keys
    #[command(after_help = "Example: countersign keys list")]
    List(List),
    /// Let the next key sign now
    ///
    /// Waits for seconds if not every running server can know the next key yet.
    /// The key that signed stays published until its last token has expired.
    #[command(after_help = "Example: countersign keys rotate")]
    Rotate,
    /// Remove a key at once, because somebody else has it
    ///
    /// Every access token that it signed is rejected from then on; refreshing
    /// goes on. Running servers follow within seconds.
    #[command(
        after_help = "Example: countersign keys revoke NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    )]
    Revoke {
        /// The id of the key, as `countersign keys list` shows it
        #[arg(value_name = "KID", allow_hyphen_values = true)]
        kid: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Callers {
    /// Add a caller and print its API key, this once
    ///
    /// Only a hash of the key is kept. A running server knows the caller within
    /// seconds. With --san the caller has no key: it is recognised by the client
    /// certificate of its connection (see server.tls_client_ca).
    #[command(
        after_help = "Example: countersign caller new --name shop --role service --expires-in 90d"
    )]
    New {
        /// 1 to 64 lower-case letters, digits and hyphens
        #[arg(long, value_name = "NAME", value_parser = CallerName::parse)]
        name: CallerName,
        /// What it may do: `service` validates tokens, `gateway` acts for
        /// people, `operator` looks after users; may be given several times
        #[arg(long = "role", value_name = "ROLE", required = true, value_parser = role())]
        roles: Vec<Role>,
        /// Instead of an API key: a name in its client certificate, a URI such as
        /// spiffe://example.com/shop or a name of DNS; may be given several times
        #[arg(long = "san", value_name = "NAME", value_parser = SubjectAltName::parse,
              conflicts_with = "expires_in")]
        sans: Vec<SubjectAltName>,
        #[command(flatten)]
        lifetime: KeyLifetime,
    },
    /// Give a caller a second API key and print it, this once
    ///
    /// Both keys are good, until one of them is removed or expires: give the
    /// caller the new one, see with `caller list` that the old one is not used
    /// any more, and remove it.
    #[command(after_help = "Example: countersign caller add-key shop --expires-in 90d")]
    AddKey {
        /// The name of the caller
        #[arg(value_parser = CallerName::parse)]
        name: CallerName,
        #[command(flatten)]
        lifetime: KeyLifetime,
    },
    /// Remove one of the two API keys of a caller: it is refused within seconds
    #[command(after_help = "Example: countersign caller remove-key shop 3f2a91bc")]
    RemoveKey {
        /// The name of the caller
        #[arg(value_parser = CallerName::parse)]
        name: CallerName,
        /// The id of the key, as `countersign caller list` shows it
        #[arg(value_name = "KEY", value_parser = KeyId::parse)]
        key: KeyId,
    },
    /// Have a caller recognised by a further name in its client certificate
    ///
    /// A running server knows the name within seconds. A caller with a key may
    /// have names too, and go over from the one to the other.
    #[command(after_help = "Example: countersign caller add-san shop spiffe://example.com/shop")]
    AddSan {
        /// The name of the caller
        #[arg(value_parser = CallerName::parse)]
        name: CallerName,
        /// The name in its certificate, a URI or a name of DNS
        #[arg(value_name = "SAN", value_parser = SubjectAltName::parse)]
        san: SubjectAltName,
    },
    /// Have a caller not recognised any more by a name in its client certificate
    #[command(after_help = "Example: countersign caller remove-san shop spiffe://example.com/shop")]
    RemoveSan {
        /// The name of the caller
        #[arg(value_parser = CallerName::parse)]
        name: CallerName,
        /// The name, as `countersign caller list` shows it
        #[arg(value_name = "SAN", value_parser = SubjectAltName::parse)]
        san: SubjectAltName,
    },
    /// List the callers, their API keys and the names in their certificates
    ///
    /// When a key was used last is written down once a minute.
    #[command(after_help = "Example: countersign caller list")]
    List(List),
    /// Remove a caller: its keys are refused within seconds
    #[command(after_help = "Example: countersign caller remove shop")]
    Remove {
        /// The name of the caller
        #[arg(value_parser = CallerName::parse)]
        name: CallerName,
    },
}

#[derive(Debug, Args)]
pub(super) struct KeyLifetime {
    /// How long the key is good, such as 12h or 90d [default: until it is
    /// removed]
    #[arg(long, value_name = "TIME", value_parser = lifetime)]
    pub(super) expires_in: Option<Duration>,
}

/// Reads a role, of which shells are told the names.
fn role() -> impl TypedValueParser<Value = Role> {
    PossibleValuesParser::new(Role::ALL.map(Role::as_str)).try_map(|name| name.parse::<Role>())
}

/// Reads how long a key is good.
fn lifetime(text: &str) -> Result<Duration, &'static str> {
    const LONGEST: Duration = Duration::from_secs(10 * 366 * 24 * 60 * 60);
    let time = humantime::parse_duration(text).ok();
    time.filter(|time| (Duration::from_secs(1)..=LONGEST).contains(time))
        .ok_or("must be a duration such as 12h, 90d or 1y, of at most ten years")
}

#[derive(Debug, Args)]
pub(super) struct Try {
    #[command(flatten)]
    pub(super) server: ServerArguments,
}
