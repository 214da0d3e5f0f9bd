//! The section `[legacy]`.

use countersign_domain::model::{GroupId, HashFormat, Region};
use countersign_legacy::{Columns, LegacySettings, SettingsError, SqlUsers};
use serde::{Deserialize, Serialize};

use crate::config::ServiceUrl;
use crate::config::checks::Checks;
use crate::config::serde_formats::optional;

/// `[legacy]`: the users of an existing database, each of whom is adopted at the first
/// sign-in. That database is never written.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LegacyConfig {
    /// `postgres://…`, `mysql://…`, `mariadb://…` or `sqlite:…`; without it, nobody is
    /// adopted.
    #[serde(deserialize_with = "optional")]
    pub url: Option<ServiceUrl>,
    /// The table, with its schema before a dot if need be.
    #[serde(deserialize_with = "optional")]
    pub table: Option<String>,
    /// The group whose people they are.
    pub group: String,
    /// The column of ids.
    pub id_column: String,
    /// The column of e-mail addresses.
    #[serde(deserialize_with = "optional")]
    pub email_column: Option<String>,
    /// The column of phone numbers.
    #[serde(deserialize_with = "optional")]
    pub phone_column: Option<String>,
    /// The column of user names.
    #[serde(deserialize_with = "optional")]
    pub username_column: Option<String>,
    /// The column of what people are called.
    #[serde(deserialize_with = "optional")]
    pub name_column: Option<String>,
    /// The column of hashes of passwords.
    #[serde(deserialize_with = "optional")]
    pub password_column: Option<String>,
    /// The format of these hashes.
    pub hash: String,
    /// The column that tells who is a user still.
    #[serde(deserialize_with = "optional")]
    pub active_column: Option<String>,
    /// The column that tells who is banned.
    #[serde(deserialize_with = "optional")]
    pub banned_column: Option<String>,
    /// The column that tells when a user left.
    #[serde(deserialize_with = "optional")]
    pub withdrawn_at_column: Option<String>,
}

impl Default for LegacyConfig {
    fn default() -> Self {
        Self {
            url: None,
            table: None,
            group: GroupId::fallback().as_str().to_owned(),
            id_column: "id".into(),
            email_column: None,
            phone_column: None,
            username_column: None,
            name_column: None,
            password_column: None,
            hash: HashFormat::Auto.to_string(),
            active_column: None,
            banned_column: None,
            withdrawn_at_column: None,
        }
    }
}

impl LegacyConfig {
    /// The settings of the table, if there is one.
    pub(crate) fn settings(&self, region: Region) -> Option<LegacySettings> {
        let (url, table) = (self.url.as_ref()?, self.table.as_ref()?);
        Some(LegacySettings {
            url: url.expose().to_owned().into(),
            table: table.clone(),
            columns: Columns {
                id: self.id_column.clone(),
                email: self.email_column.clone(),
                phone: self.phone_column.clone(),
                username: self.username_column.clone(),
                name: self.name_column.clone(),
                password: self.password_column.clone(),
                active: self.active_column.clone(),
                banned: self.banned_column.clone(),
                withdrawn_at: self.withdrawn_at_column.clone(),
            },
            region,
        })
    }

    /// The format of the hashes.
    pub(crate) fn format(&self) -> HashFormat {
        self.hash.parse().unwrap_or_default()
    }

    /// Whether the hashes are known to be mere digests.
    pub(crate) fn has_digests(&self) -> bool {
        let is_read = self.url.is_some() && self.password_column.is_some();
        is_read && matches!(self.format(), HashFormat::Digest(..))
    }

    /// The group whose people they are.
    pub(crate) fn group(&self) -> GroupId {
        GroupId::parse(&self.group).unwrap_or_else(|_| GroupId::fallback())
    }

    pub(in crate::config) fn check(&self, checks: &mut Checks) {
        if let Err(rule) = GroupId::parse(&self.group) {
            checks.refuse("legacy.group", rule);
        }
        if let Err(rule) = self.hash.parse::<HashFormat>() {
            checks.refuse("legacy.hash", rule);
        }
        if self.url.is_none() {
            return;
        }
        checks.that(
            "legacy.table",
            self.table.is_some(),
            "must be set too, as legacy.url is: the table of the users",
        );
        let identifiers = [
            &self.email_column,
            &self.phone_column,
            &self.username_column,
        ];
        checks.that(
            "legacy.email_column",
            identifiers.into_iter().any(Option::is_some),
            "must be set, or legacy.phone_column or legacy.username_column, as legacy.url is: \
             people are found by them",
        );
        if let Some(settings) = self.settings(Region::KOREA)
            && let Err(error) = SqlUsers::check_settings(&settings)
        {
            let key = match error {
                SettingsError::Url(_) | SettingsError::Parameter { .. } => "legacy.url",
                SettingsError::Table => "legacy.table",
                SettingsError::Column(_) => "legacy.id_column",
            };
            checks.refuse(key, error.to_string());
        }
    }
}
