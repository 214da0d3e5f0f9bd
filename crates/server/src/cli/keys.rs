//! `countersign keys`.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use countersign_domain::application::{DatabaseClock, KeyKeeper};
use countersign_domain::model::{Origin, SealedSigningKey, SealingKey};
use countersign_domain::ports::SigningKeys as _;
use countersign_domain::use_cases::{RevokeSigningKey, RotateSigningKeys, Rotated};
use countersign_storage::database::Database;
use serde::Serialize;

use super::failure::{Failure, Outcome};
use super::{open, table};
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::rfc3339::rfc3339;
use crate::system::{SystemClock, SystemRandom};

/// Who gives the commands.
static OPERATOR: Origin = Origin::command_line();

/// A signing key as it is listed.
#[derive(Serialize)]
struct Row<'a> {
    kid: &'a str,
    algorithm: String,
    state: &'static str,
    created: String,
    expires: Option<String>,
}

/// Lists the signing keys.
pub(super) async fn list(
    config: &Config,
    json: bool,
    out: &mut dyn Write,
) -> Result<Outcome, Failure> {
    let database = open::database(config).await?;
    let keys = database.signing_keys().await?;
    if json {
        table::write_json(out, &rows(&keys))?;
    } else {
        write(&keys, out)?;
    }
    Ok(Outcome::Done)
}

/// Lets the next key sign, as soon as every replica knows it.
pub(super) async fn rotate(
    config: &Config,
    out: &mut dyn Write,
    hints: &mut dyn Write,
) -> Result<Outcome, Failure> {
    let opened = Opened::of(config).await?;
    let tokens = config.settings().tokens;
    loop {
        let rotation = RotateSigningKeys {
            retired_for: tokens.retired_key_ttl(),
            if_older_than: Duration::ZERO,
            known_after: tokens.feed_bound,
        };
        match rotation.execute(opened.keeper(config)).await? {
            Rotated::Yes => break,
            Rotated::TooYoung { again_in } => {
                let seconds = again_in.as_secs_f32().ceil();
                writeln!(
                    hints,
                    "waiting {seconds} s, until every server knows the next key"
                )?;
                tokio::time::sleep(again_in).await;
            }
            Rotated::NotDue => {
                return Err(
                    "there is no active and no next signing key; a running server makes \
                            them within seconds"
                        .into(),
                );
            }
            Rotated::Elsewhere => {
                return Err("another server has rotated the keys at the same moment".into());
            }
        }
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
    let revocation = RevokeSigningKey { kid: kid.clone() };
    if !revocation.execute(opened.keeper(config)).await? {
        return Err(format!("there is no signing key {kid}; see: countersign keys list").into());
    }
    write(&opened.database.signing_keys().await?, out)?;
    Ok(Outcome::Done)
}

/// What changing the keys takes.
struct Opened {
    database: Database,
    sealing: SealingKey,
    clock: DatabaseClock,
}

impl Opened {
    async fn of(config: &Config) -> Result<Self, Failure> {
        let database = open::database(config).await?;
        let clock = DatabaseClock::start(Arc::new(SystemClock::new()), &database).await?;
        let keys = database.signing_keys().await?;
        if keys.is_empty() {
            return Err(
                "there are no signing keys yet; the first start of the server makes them".into(),
            );
        }
        let master_key = DataDir::beside(&config.data_dir).master_key(
            config.keys.master_key.as_ref(),
            true,
            &SystemRandom,
        )?;
        let opened = Self {
            sealing: master_key.signing_keys(),
            database,
            clock,
        };
        // A key sealed under another master key could not be opened by the servers.
        opened
            .keeper(config)
            .check(&keys)
            .map_err(|error| format!("{error}; bring the master key of this database"))?;
        Ok(opened)
    }

    fn keeper(&self, config: &Config) -> KeyKeeper<'_> {
        KeyKeeper {
            store: &self.database,
            sealing: &self.sealing,
            clock: &self.clock,
            random: &SystemRandom,
            algorithm: config.tokens.algorithm,
            origin: &OPERATOR,
        }
    }
}

fn write(keys: &[SealedSigningKey], out: &mut dyn Write) -> std::io::Result<()> {
    let header = ["KID", "ALGORITHM", "STATE", "CREATED", "EXPIRES"];
    let cells = rows(keys).into_iter().map(|row| {
        let expires = row.expires.unwrap_or_else(|| "-".into());
        let (kid, state) = (row.kid.to_owned(), row.state.to_owned());
        [kid, row.algorithm, state, row.created, expires]
    });
    table::write(out, header, &cells.collect::<Vec<_>>())
}

/// The key that signs first, then what comes next, then what is left.
fn rows(keys: &[SealedSigningKey]) -> Vec<Row<'_>> {
    let mut keys: Vec<_> = keys.iter().collect();
    keys.sort_by_key(|key| (key.state, std::cmp::Reverse(key.created_at)));
    keys.into_iter()
        .map(|key| Row {
            kid: &key.kid,
            algorithm: key.algorithm.to_string(),
            state: key.state.as_str(),
            created: rfc3339(key.created_at),
            expires: key.expires_at.map(rfc3339),
        })
        .collect()
}
