//! `countersign service-account`: the flags, with the words of `--help`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::server_arguments::ServerArguments;
use super::user_arguments::instant;

#[derive(Debug, Subcommand)]
pub(super) enum ServiceAccounts {
    /// List the service accounts, oldest first
    #[command(after_help = "Example: countersign service-account list --group staff")]
    List(ListServiceAccounts),
    /// Show a service account, with its secrets and keys
    #[command(
        after_help = "Example: countersign service-account show 01890a5d-ac96-774b-bcce-b302099a8057"
    )]
    Show(OneServiceAccount),
    /// Make a service account, which has no secret and no key yet
    #[command(
        after_help = "Example: countersign service-account create --name settlement \
                            --roles settler --scopes orders:read"
    )]
    Create(CreateServiceAccount),
    /// Change a service account: what no flag names stays as it is
    #[command(after_help = "Example: countersign service-account update \
                            01890a5d-ac96-774b-bcce-b302099a8057 --scopes orders:read,refunds")]
    Update(UpdateServiceAccount),
    /// Let a service account get no tokens, and revoke those that it has got
    #[command(after_help = "Example: countersign service-account disable \
                            01890a5d-ac96-774b-bcce-b302099a8057")]
    Disable(OneServiceAccount),
    /// Let a service account get tokens again
    #[command(after_help = "Example: countersign service-account enable \
                            01890a5d-ac96-774b-bcce-b302099a8057")]
    Enable(OneServiceAccount),
    /// Delete a service account with its secrets and keys, and revoke its tokens
    #[command(after_help = "Example: countersign service-account delete \
                            01890a5d-ac96-774b-bcce-b302099a8057")]
    Delete(DeleteServiceAccount),
    /// Give a service account secrets
    #[command(subcommand)]
    Secret(Secrets),
    /// Give a service account keys
    #[command(subcommand)]
    Key(Keys),
    /// Take secrets and keys away
    #[command(subcommand)]
    Credential(Credentials),
}

#[derive(Debug, Subcommand)]
pub(super) enum Secrets {
    /// Make a secret and print it, this once
    ///
    /// Only a hash of it is kept. An account has at most four, so that the next one takes
    /// over from the last.
    #[command(after_help = "Example: countersign service-account secret create \
                            01890a5d-ac96-774b-bcce-b302099a8057 \
                            --expires-at 2027-01-31T00:00:00Z")]
    Create(CreateSecret),
}

#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// Add a public key, whose private half the account keeps to itself
    ///
    /// Ed25519, P-256, or RSA of 2048 to 4096 bits. An account has at most four.
    #[command(after_help = "Example: countersign service-account key add \
                            01890a5d-ac96-774b-bcce-b302099a8057 public.pem")]
    Add(AddKey),
}

#[derive(Debug, Subcommand)]
pub(super) enum Credentials {
    /// Take a secret or a key away, and revoke the tokens that were got with it
    #[command(after_help = "Example: countersign service-account credential remove \
                            \"$ACCOUNT\" \"$CREDENTIAL\"")]
    Remove(RemoveCredential),
}

#[derive(Debug, Args)]
pub(super) struct ListServiceAccounts {
    /// Of this group [default: of all]
    #[arg(long, value_name = "GROUP")]
    pub(super) group: Option<String>,
    /// For programs: as a JSON array of objects, times in RFC 3339
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) server: ServerArguments,
}

#[derive(Debug, Args)]
pub(super) struct OneServiceAccount {
    /// The id of the service account
    #[arg(value_name = "SERVICE_ACCOUNT")]
    pub(super) id: String,
    /// For programs: as a JSON object, times in RFC 3339
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) server: ServerArguments,
}

/// A service account, and the version that was read.
#[derive(Debug, Args)]
pub(super) struct ServiceAccountVersion {
    /// The id of the service account
    #[arg(value_name = "SERVICE_ACCOUNT")]
    pub(super) id: String,
    /// Refuse the change if the account was changed since this etag was read
    #[arg(
        long,
        value_name = "ETAG",
        default_value = "",
        hide_default_value = true
    )]
    pub(super) etag: String,
}

#[derive(Debug, Args)]
pub(super) struct CreateServiceAccount {
    /// In this group [default: default]
    #[arg(long, value_name = "GROUP")]
    pub(super) group: Option<String>,
    #[command(flatten)]
    pub(super) fields: ServiceAccountFields,
    /// For programs: as a JSON object, times in RFC 3339
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) server: ServerArguments,
}

#[derive(Debug, Args)]
pub(super) struct UpdateServiceAccount {
    #[command(flatten)]
    pub(super) version: ServiceAccountVersion,
    #[command(flatten)]
    pub(super) fields: ServiceAccountFields,
    /// For programs: as a JSON object, times in RFC 3339
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) server: ServerArguments,
}

/// What is written into a service account. An empty text removes what is there.
#[derive(Debug, Args)]
pub(super) struct ServiceAccountFields {
    /// What people call it
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    pub(super) description: Option<String>,
    /// The roles, with commas between them
    #[arg(long, value_name = "ROLES")]
    pub(super) roles: Option<String>,
    /// The scopes that it may ask for, with commas between them
    #[arg(long, value_name = "SCOPES")]
    pub(super) scopes: Option<String>,
    /// The audiences for which it gets tokens, with commas between them, the first by
    /// default [default: all of its group]
    #[arg(long, value_name = "AUDIENCES")]
    pub(super) audiences: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct DeleteServiceAccount {
    #[command(flatten)]
    pub(super) version: ServiceAccountVersion,
    #[command(flatten)]
    pub(super) server: ServerArguments,
}

/// When a secret or a key expires.
#[derive(Debug, Args)]
pub(super) struct Expiry {
    /// When it expires, such as 2027-01-31T00:00:00Z [default: never]
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(super) expires_at: Option<prost_types::Timestamp>,
}

#[derive(Debug, Args)]
pub(super) struct CreateSecret {
    #[command(flatten)]
    pub(super) account: OneServiceAccount,
    #[command(flatten)]
    pub(super) expiry: Expiry,
}

#[derive(Debug, Args)]
pub(super) struct AddKey {
    #[command(flatten)]
    pub(super) account: OneServiceAccount,
    /// A file with the key, in PEM as `openssl pkey -pubout` writes it, or as a JWK
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    #[command(flatten)]
    pub(super) expiry: Expiry,
}

#[derive(Debug, Args)]
pub(super) struct RemoveCredential {
    #[command(flatten)]
    pub(super) account: OneServiceAccount,
    /// The id of the secret or the key, as `countersign service-account show` shows it
    #[arg(value_name = "CREDENTIAL")]
    pub(super) credential: String,
}

impl ServiceAccounts {
    /// Where the server is.
    pub(super) fn server(&mut self) -> &mut ServerArguments {
        match self {
            Self::List(list) => &mut list.server,
            Self::Show(account) | Self::Disable(account) | Self::Enable(account) => {
                &mut account.server
            }
            Self::Create(create) => &mut create.server,
            Self::Update(update) => &mut update.server,
            Self::Delete(delete) => &mut delete.server,
            Self::Secret(Secrets::Create(create)) => &mut create.account.server,
            Self::Key(Keys::Add(add)) => &mut add.account.server,
            Self::Credential(Credentials::Remove(remove)) => &mut remove.account.server,
        }
    }
}
