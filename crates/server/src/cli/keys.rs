//! `countersign keys`.

use std::io::Write;
use std::time::Duration;

use countersign_domain::model::{MasterKey, SealedSigningKey};
use countersign_domain::ports::Store;
use countersign_domain::use_cases::{KeyKeeper, RevokeKey, RotateKeys};
use countersign_storage::database::Database;

use super::failure::{Failure, Outcome};
use super::{open, table};
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::system::{SystemClock, SystemRandom};

/// Lists the signing keys.
pub(super) async fn list(config: &Config, out: &mut dyn Write) -> Result<Outcome, Failure> {
    let database = open::migrated_database(config).await?;
    write(&database.signing_keys().await?, out)?;
    Ok(Outcome::Done)
}

/// Lets the next key sign.
pub(super) async fn rotate(config: &Config, out: &mut dyn Write) -> Result<Outcome, Failure> {
    let opened = Opened::of(config).await?;
    let rotation = RotateKeys {
        needed_for: config.settings().tokens.revocation_ttl(),
        if_older_than: Duration::ZERO,
    };
    if !rotation.execute(opened.keeper(config)).await? {
        return Err("another server has rotated the keys at the same moment".into());
    }
    write(&opened.database.signing_keys().await?, out)?;
    Ok(Outcome::Done)
}

/// Removes a key at once.
pub(super) async fn revoke(
    config: &Config,
    kid: String,
    out: &mut dyn Write,
) -> Result<Outcome, Failure> {
    let opened = Opened::of(config).await?;
    let revocation = RevokeKey { kid: kid.clone() };
    if !revocation.execute(opened.keeper(config)).await? {
        return Err(format!("there is no signing key {kid}; see: countersign keys list").into());
    }
    write(&opened.database.signing_keys().await?, out)?;
    Ok(Outcome::Done)
}

/// What changing the keys takes.
struct Opened {
    database: Database,
    master_key: MasterKey,
    clock: SystemClock,
}

impl Opened {
    async fn of(config: &Config) -> Result<Self, Failure> {
        let database = open::migrated_database(config).await?;
        let keys = database.signing_keys().await?;
        if keys.is_empty() {
            return Err(
                "there are no signing keys yet; the first start of the server makes them".into(),
            );
        }
        let master_key = DataDir::open_beside(&config.data_dir)?.master_key(
            config.keys.master_key.as_ref(),
            true,
            &SystemRandom,
        )?;
        // A key sealed under another master key could not be opened by the servers.
        for key in &keys {
            master_key.open(&key.kid, &key.sealed).map_err(|error| {
                format!(
                    "the signing key {} {error}; bring the master key of this database",
                    key.kid
                )
            })?;
        }
        Ok(Self {
            database,
            master_key,
            clock: SystemClock::new(),
        })
    }

    fn keeper(&self, config: &Config) -> KeyKeeper<'_> {
        KeyKeeper {
            store: &self.database,
            master_key: &self.master_key,
            clock: &self.clock,
            random: &SystemRandom,
            algorithm: config.tokens.algorithm,
        }
    }
}

fn write(keys: &[SealedSigningKey], out: &mut dyn Write) -> std::io::Result<()> {
    let mut keys: Vec<_> = keys.iter().collect();
    keys.sort_by_key(|key| (key.state, std::cmp::Reverse(key.created_at)));
    let rows: Vec<_> = keys
        .iter()
        .map(|key| {
            [
                key.kid.clone(),
                key.algorithm.to_string(),
                key.state.as_str().to_owned(),
                table::instant(key.created_at),
                key.expires_at.map_or_else(|| "-".into(), table::instant),
            ]
        })
        .collect();
    table::write(
        out,
        ["KID", "ALGORITHM", "STATE", "CREATED", "EXPIRES"],
        &rows,
    )
}
