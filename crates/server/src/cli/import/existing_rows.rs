//! Users of an existing database, page by page in the order of their ids, as `[legacy]`
//! maps them.

use std::sync::Arc;

use countersign_domain::model::{ExistingState, ExistingUser, Identifier, PersonName};
use countersign_domain::ports::{Clock, ExistingUsers as _, ExistingUsersError, ReadUser};
use countersign_legacy::SqlUsers;
use countersign_proto::v1;
use countersign_proto::v1::identifier::Value;
use tokio::sync::mpsc::Sender;

use super::fields::Defaults;
use super::record::{Place, Record, SourceError, Wrong};
use crate::cli::failure::Failure;
use crate::config::Config;
use crate::grpc::convert::timestamp;

/// Rows that are read at once.
const PAGE: u32 = 1_000;

/// The users of an existing database.
pub(super) struct ExistingRows {
    users: SqlUsers,
    defaults: Defaults,
}

impl ExistingRows {
    /// The users of the configuration.
    pub(super) fn of(
        config: &Config,
        clock: Arc<dyn Clock>,
        mut defaults: Defaults,
    ) -> Result<Self, Failure> {
        let settings = config.legacy.settings(config.identifiers.default_region.0);
        let settings = settings.ok_or_else(|| {
            Failure::configuration(
                "legacy.url names no database: set it, legacy.table and the columns, as \
                 deploy/countersign.toml shows",
            )
        })?;
        if defaults.group.is_empty() {
            defaults.group = config.legacy.group().as_str().to_owned();
        }
        if defaults.hash_format.is_empty() {
            defaults.hash_format = config.legacy.format().to_string();
        }
        let users = SqlUsers::new(&settings, clock).map_err(Failure::configuration)?;
        Ok(Self { users, defaults })
    }

    /// Reads all of them, as fast as they are taken.
    pub(super) async fn read(self, to: Sender<Result<Record, SourceError>>) {
        let mut after: Option<String> = None;
        loop {
            let page = match self.users.page(after.as_deref(), PAGE).await {
                Ok(page) => page,
                Err(error) => {
                    drop(to.send(Err(failed(&error))).await);
                    return;
                }
            };
            let is_full = page.rows.len() == PAGE as usize;
            for row in page.rows {
                if to.send(Ok(self.record(row))).await.is_err() {
                    return;
                }
            }
            after = match page.next {
                Some(next) => Some(next),
                None if is_full => {
                    let text = "a row has an id that cannot be read, after which it cannot go on";
                    drop(to.send(Err(SourceError::Mapping(text.into()))).await);
                    return;
                }
                None => return,
            };
        }
    }

    fn record(&self, row: ReadUser) -> Record {
        match row {
            Ok(user) => {
                let place = Place::Row(user.external_id.clone());
                let left_out = user.left_out.iter();
                let left_out = left_out.map(|one| Wrong::new(&*one.column, &*one.reason));
                Record {
                    left_out: left_out.collect(),
                    place,
                    user: Ok(self.message(user)),
                }
            }
            Err(unreadable) => {
                let id = unreadable.external_id.unwrap_or_default();
                Record::new(Place::Row(id), Err(Wrong::new("", unreadable.reason)))
            }
        }
    }

    fn message(&self, user: ExistingUser) -> v1::ImportedUser {
        let identifiers = user.identifiers.iter().map(|identifier| {
            let text = identifier.as_str().to_owned();
            let value = match identifier {
                Identifier::Email(_) => Value::Email(text),
                Identifier::Phone(_) => Value::Phone(text),
                Identifier::Username(_) => Value::Username(text),
            };
            v1::ImportedIdentifier {
                identifier: Some(v1::Identifier { value: Some(value) }),
                verified: true,
            }
        });
        let (state, withdraw_time) = match user.state {
            ExistingState::Active => (v1::UserState::Active, None),
            ExistingState::Suspended => (v1::UserState::Suspended, None),
            ExistingState::Withdrawn { since } => {
                (v1::UserState::Withdrawn, since.and_then(timestamp))
            }
        };
        // As at an adoption: what is no name here is left out.
        let name = user.name.filter(|name| PersonName::parse(name).is_ok());
        let hash = user.password.as_ref().map(|hash| hash.expose().to_owned());
        v1::ImportedUser {
            identifiers: identifiers.collect(),
            external_id: user.external_id,
            group_id: self.defaults.group.clone(),
            password_hash: hash.unwrap_or_default(),
            hash_format: self.defaults.hash_format.clone(),
            profile: Some(v1::Profile {
                name: name.unwrap_or_default(),
                ..Default::default()
            }),
            state: state.into(),
            withdraw_time,
            ..Default::default()
        }
    }
}

fn failed(error: &ExistingUsersError) -> SourceError {
    match error {
        ExistingUsersError::Unavailable(_) => {
            SourceError::Unavailable(format!("cannot read the existing database: {error}"))
        }
        ExistingUsersError::Mapping(_) => SourceError::Mapping(format!(
            "[legacy] does not fit the existing database: {error}"
        )),
    }
}
